//! `POST /integration`: what it takes, what it adds, what it answers.

use crate::{callers::id, server::TestServer};
use serde_json::{Value, json};

/// 2018-04-27T00:02:50.419Z, the time of the reference's example.
const NOW: i64 = 1_524_787_370_419;

#[test]
fn create_answers_200_and_the_whole_object() {
    let server = TestServer::at(NOW);
    let body =
        json!({"name": "Email Integration", "type": "email", "destination_ids": ["tem_xxxxxxx"]});
    let created = server.account("ops").create(body).assert_status(200).json();
    let expected = json!({
        "sid": created["sid"],
        "id": created["id"],
        "createdAt": "2018-04-27T00:02:50.419Z",
        "updatedAt": "2018-04-27T00:02:50.419Z",
        "meta": {},
        "tinyId": 1,
        "name": "Email Integration",
        "type": "email",
        "enabled": true,
        "urgency": "medium",
        "destination_ids": ["tem_xxxxxxx"],
        "options": {},
    });

    assert_eq!(created, expected);
}

#[test]
fn attributes_have_the_order_of_the_reference() {
    let server = TestServer::start();
    let created = server.account("ops").created("x");
    let names: Vec<_> = created
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let reference = [
        "sid",
        "id",
        "createdAt",
        "updatedAt",
        "meta",
        "tinyId",
        "name",
        "type",
        "enabled",
        "urgency",
        "destination_ids",
        "options",
    ];
    assert_eq!(names, reference);
}

#[test]
fn create_returns_location_and_json() {
    let server = TestServer::start();
    let answer = server
        .account("ops")
        .create(json!({"name": "x", "type": "email", "destination_ids": []}))
        .assert_status(200);
    let created = answer.json();
    assert_eq!(
        answer.header("location"),
        Some(format!("/integration/{}", id(&created)).as_str())
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn every_attribute_given_is_kept() {
    let server = TestServer::start();
    let body = json!({
        "name": "Prometheus",
        "type": "prometheus",
        "enabled": false,
        "urgency": "critical",
        "destination_ids": ["rtr_1", "usr_2", "skd_3"],
        "meta": {"env": "prod", "nested": {"list": [1, null, "x"]}},
        "options": {"token": "t"},
    });

    let created = server.account("ops").created_from(body.clone());
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&created[name], value, "{name}");
    }
}

#[test]
fn ids_are_unique_and_have_a_prefix() {
    let server = TestServer::start();
    let account = server.account("ops");
    let mut ids: Vec<_> = (0..20)
        .map(|_| id(&account.created("x")).to_owned())
        .collect();

    for id in &ids {
        let tail = id.strip_prefix("int_").unwrap();
        assert_eq!(tail.len(), 14, "{id}");
        assert!(
            tail.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)),
            "{id}"
        );
    }

    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

#[test]
fn objects_of_one_credential_share_a_sid() {
    let server = TestServer::start();
    let account = server.account("ops");
    let (first, second) = (account.created("a"), account.created("b"));
    assert_eq!(first["sid"], second["sid"]);
    assert!(first["sid"].as_str().unwrap().starts_with("acc_"));
}

#[test]
fn all_missing_attributes_are_reported() {
    let server = TestServer::start();
    server.account("ops").create(json!({})).assert_error(
        400,
        &[
            "'name' is a required parameter",
            "'type' is a required parameter",
            "'destination_ids' is a required parameter",
        ],
    );
}

#[test]
fn each_required_attribute_is_required() {
    let server = TestServer::start();
    let account = server.account("ops");
    for name in ["name", "type", "destination_ids"] {
        let mut body = json!({"name": "x", "type": "email", "destination_ids": []});
        body.as_object_mut().unwrap().shift_remove(name);
        account
            .create(body)
            .assert_error(400, &[&format!("'{name}' is a required parameter")]);
    }
    assert_eq!(account.total(""), 0);
}

#[test]
fn read_only_attributes_of_a_create_are_ignored() {
    let server = TestServer::at(NOW);
    let account = server.account("ops");
    let sid = account.created("first")["sid"].clone();

    for own in [json!("acc_forged"), json!(99), Value::Null, json!({})] {
        let created = account.created_from(json!({
            "sid": own, "id": own, "createdAt": own, "updatedAt": own, "tinyId": own,
            "name": "x", "type": "email", "destination_ids": [],
        }));
        assert_eq!(created["sid"], sid);
        assert_ne!(created["id"], own);
        assert_ne!(created["tinyId"], own);
        assert_eq!(created["createdAt"], "2018-04-27T00:02:50.419Z");
        assert_eq!(created["updatedAt"], "2018-04-27T00:02:50.419Z");
    }
}

#[test]
fn unknown_attributes_are_dropped() {
    let server = TestServer::start();
    let created = server
        .account("ops")
        .created_from(json!({"name": "x", "type": "email", "destination_ids": [], "colour": "red", "urgenci": null}));
    assert_eq!(created.as_object().unwrap().len(), 12, "{created}");
}

#[test]
fn minimal_curl_request_is_accepted() {
    let server = TestServer::start();
    let body =
        r#"{"name":"Email Integration", "type": "email", "destination_ids": ["tem_xxxxxxx"]}"#;
    server
        .account("ops")
        .send("POST", "/integration", Some(body))
        .assert_status(200);
}

#[test]
fn query_of_a_write_is_ignored() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = json!({"name": "x", "type": "email", "destination_ids": []}).to_string();
    let created = account
        .send("POST", "/integration?name=y&colour=red", Some(&body))
        .assert_status(200)
        .json();
    assert_eq!(created["name"], "x");
    let path = format!("/integration/{}?colour=red", id(&created));
    account.send("PUT", &path, Some("{}")).assert_status(200);
    account.send("DELETE", &path, None).assert_status(204);
}
