//! `PUT /integration/:id`: changes what it names, and nothing else.

use crate::{callers::id, server::TestServer};
use serde_json::{Value, json};

#[test]
fn update_changes_only_the_attributes_it_names() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created_from(
        json!({"name": "x", "type": "email", "destination_ids": ["tem_a"], "meta": {"a": 1}, "options": {"b": 2}}),
    );

    for (attribute, value) in [
        ("meta", json!({"c": 3})),
        ("name", json!("y")),
        ("type", json!("webhook")),
        ("enabled", json!(false)),
        ("urgency", json!("low")),
        ("destination_ids", json!(["usr_b"])),
        ("options", json!({})),
    ] {
        let before = account.get(id(&created)).json();
        let updated = account
            .update(id(&created), json!({ attribute: value }))
            .assert_status(200)
            .json();
        let mut expected = before.clone();

        expected[attribute] = value;
        expected["updatedAt"] = updated["updatedAt"].clone();
        assert_eq!(updated, expected);
        assert_eq!(
            account.get(id(&created)).json(),
            expected,
            "what was answered is what is stored"
        );
    }
}

#[test]
fn update_returns_attributes_in_the_order_of_the_reference() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let updated = account
        .update(id(&created), json!({"options": {}, "name": "y"}))
        .json();
    let names = |object: &Value| {
        object
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };

    assert_eq!(names(&updated), names(&created));
}

#[test]
fn meta_options_and_destinations_are_replaced() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created_from(
        json!({"name": "x", "type": "email", "destination_ids": ["tem_a", "tem_b"],
            "meta": {"a": 1}, "options": {"b": 2},
        }),
    );
    let change = json!({"meta": {"z": 1}, "options": {}, "destination_ids": ["tem_c"]});
    let updated = account.update(id(&created), change.clone()).json();

    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&updated[name], value);
    }
}

#[test]
fn empty_update_changes_nothing() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    assert_eq!(
        account
            .update(id(&created), json!({}))
            .assert_status(200)
            .json(),
        created
    );
}

#[test]
fn body_of_a_get_can_be_put_back() {
    let server = TestServer::start();
    let account = server.account("ops").with("X-Strict", "true");
    let created = account.created("x");
    let read = account.get(id(&created)).text;
    let path = format!("/integration/{}", id(&created));

    assert_eq!(
        account
            .send("PUT", &path, Some(&read))
            .assert_status(200)
            .text,
        read
    );

    let copy = account
        .send("POST", "/integration", Some(&read))
        .assert_status(200)
        .json();

    assert_eq!((&copy["name"], &copy["tinyId"]), (&json!("x"), &json!(2)));
    assert_ne!(copy["id"], created["id"]);
}

#[test]
fn read_only_attributes_of_an_update_are_ignored() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    for own in [json!("int_forged"), json!(99), Value::Null, json!([])] {
        let body =
            json!({"sid": own, "id": own, "createdAt": own, "updatedAt": own, "tinyId": own});
        assert_eq!(
            account.update(id(&created), body).assert_status(200).json(),
            created
        );
    }
}

#[test]
fn unknown_attributes_of_an_update_are_dropped() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    assert_eq!(
        account
            .update(id(&created), json!({"colour": "red", "Name": null}))
            .assert_status(200)
            .json(),
        created
    );
}

#[test]
fn invalid_update_changes_nothing() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    account
        .update(id(&created), json!({"name": "y", "urgency": "loud"}))
        .assert_error(400, &["'urgency'"]);
    assert_eq!(account.get(id(&created)).json(), created);
}

#[test]
fn update_of_an_unknown_id_answers_404() {
    let server = TestServer::start();
    let account = server.account("ops");
    account
        .update("int_doesnotexist1", json!({"name": "y"}))
        .assert_error(404, &["Integration not found"]);
    assert_eq!(account.total(""), 0);
}

#[test]
fn update_leaves_other_integrations_alone() {
    let server = TestServer::start();
    let account = server.account("ops");
    let (first, second) = (account.created("a"), account.created("b"));
    account
        .update(id(&first), json!({"name": "c"}))
        .assert_status(200);
    assert_eq!(account.get(id(&second)).json(), second);
    assert_eq!(account.names(""), ["c", "b"]);
}
