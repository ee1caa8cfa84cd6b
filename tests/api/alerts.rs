//! Alerts as objects of their own: created, read, changed, deleted and listed as integrations are,
//! and taken from status to status.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::{Value, json};

pub(crate) fn create(account: &Caller, body: Value) -> Response {
    account.send("POST", "/alert", Some(&body.to_string()))
}

pub(crate) fn created(account: &Caller, title: &str) -> Value {
    create(
        account,
        json!({"title": title, "destination_ids": ["tem_1"]}),
    )
    .assert_status(200)
    .json()
}

pub(crate) fn call(
    account: &Caller,
    method: &str,
    alert: &Value,
    below: &str,
    body: Option<Value>,
) -> Response {
    let body = body.map(|body| body.to_string());
    account.send(
        method,
        &format!("/alert/{}{below}", id(alert)),
        body.as_deref(),
    )
}

pub(crate) fn list(account: &Caller, query: &str) -> Value {
    account
        .send("GET", &format!("/alert?{query}"), None)
        .assert_status(200)
        .json()
}

pub(crate) fn titles(account: &Caller, query: &str) -> Vec<String> {
    let list = list(account, query);
    let titles = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["title"].as_str().unwrap().to_owned());
    titles.collect()
}

#[test]
fn alert_is_created_read_updated_and_deleted() {
    let server = TestServer::at(1_700_000_000_999);
    let account = server.account("ops");
    let body = json!({
        "title": " It broke ", "description": "at night", "destination_ids": ["tem_1", "usr_1", "tem_1"], "urgency": "critical",
        "tags": ["a", "b", "a"], "meta": {"x": 1.25}, "thirdparty_id": "t-1",
        "additional_data": [{"type": "link", "label": "Runbook", "value": "https://example.com"}],
        "id": "alt_mine", "status": "resolved", "created": 1,
    });

    let answer = create(&account, body).assert_status(200);
    let alert = answer.json();
    assert_eq!(
        answer.header("location"),
        Some(format!("/alert/{}", id(&alert)).as_str())
    );

    let sid = alert["sid"].as_str().unwrap();
    let expected = format!(
        r#"{{"sid":"{sid}","id":"{}","createdAt":"2023-11-14T22:13:20.999Z","updatedAt":"2023-11-14T22:13:20.999Z","meta":{{"x":1.25}},"tinyId":1,"thirdparty_id":"t-1","destination_ids":["tem_1","usr_1"],"title":"It broke","description":"at night","type":"alert","subtype":"alert","status":"open","urgency":"critical","s_log_id":null,"source_id":"{sid}","tags":["a","b"],"additional_data":[{{"type":"link","label":"Runbook","value":"https://example.com"}}],"created":1700000000,"acknowledged":null,"acknowledgedby":null,"resolved":null,"resolvedby":null,"archived":null,"archivedby":null}}"#,
        id(&alert)
    );

    assert_eq!(answer.text, expected);
    assert_eq!(
        call(&account, "GET", &alert, "", None)
            .assert_status(200)
            .text,
        expected
    );
    assert_eq!(
        call(&account, "GET", &alert, "?select=title,status", None).text,
        r#"{"title":"It broke","status":"open"}"#
    );

    call(&account, "PUT", &alert, "", Some(alert.clone())).assert_status(200);
    assert_eq!(
        call(&account, "GET", &alert, "", None).text,
        expected,
        "what was read can be sent back"
    );
    server.clock.set(1_700_000_001_500);

    let changed = call(
        &account,
        "PUT",
        &alert,
        "",
        Some(json!({"urgency": "low", "tags": []})),
    )
    .assert_status(200)
    .json();
    assert_eq!(
        (&changed["urgency"], &changed["tags"], &changed["title"]),
        (&json!("low"), &json!([]), &json!("It broke"))
    );
    assert_eq!(changed["updatedAt"], "2023-11-14T22:13:21.500Z");

    let other = server.account("somebody else");
    for (method, below) in [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "/acknowledge"),
        ("POST", "/resolve"),
    ] {
        call(&other, method, &alert, below, Some(json!({})))
            .assert_error(404, &["Alert not found"]);
    }

    call(&account, "DELETE", &alert, "", None).assert_status(204);
    call(&account, "GET", &alert, "", None).assert_error(404, &["Alert not found"]);
    assert_eq!(created(&account, "next")["tinyId"], 2);
}

#[test]
fn create_reports_all_errors() {
    let server = TestServer::start();
    let account = server.account("ops");
    create(&account, json!({})).assert_error(
        400,
        &["'destination_ids' is a required", "'title' is a required"],
    );

    let body = json!({"title": "t", "destination_ids": [], "source_id": "int_doesnotEx"});
    create(&account, body)
        .assert_error(400, &["'source_id' must be an integration of this account"]);

    let theirs = server.account("somebody else").created("theirs");
    let body = json!({"title": "t", "source_id": id(&theirs)});
    create(&account, body)
        .assert_error(400, &["'source_id' must be an integration of this account"]);
    assert_eq!(list(&account, "")["total_count"], 0);
}

#[test]
fn foreign_source_is_reported_with_all_other_errors() {
    let server = TestServer::start();
    let account = server.account("ops");
    let theirs = server.account("somebody else").created("theirs");
    let body = json!({"title": 5, "urgency": "loud", "source_id": id(&theirs), "tags": 1});
    let faults = [
        "'title' must be",
        "'urgency' must be",
        "'source_id' must be an integration",
        "'tags' must be",
    ];
    create(&account, body).assert_error(400, &faults);
}

#[test]
fn body_of_an_alert_can_be_posted_as_a_new_one() {
    let server = TestServer::start();
    let body = json!({"username": "alice", "password": "x"}).to_string();
    let token = server
        .anonymous()
        .send("POST", "/public/login", Some(&body))
        .json()["token"]
        .clone();

    for account in [
        server.account("ops"),
        server.account(token.as_str().unwrap()),
    ] {
        let alert = created(&account, "t");
        let again = create(&account.with("X-Strict", "true"), alert.clone())
            .assert_status(200)
            .json();
        assert_ne!(again["id"], alert["id"]);
        assert_eq!(
            (&again["source_id"], &again["title"]),
            (&alert["source_id"], &alert["title"])
        );
        let theirs = json!({"title": "t", "destination_ids": [], "source_id": "acc_1"});
        create(&account, theirs).assert_status(400);
    }
}

#[test]
fn null_clears_only_the_description() {
    let server = TestServer::start();
    let account = server.account("ops");
    let alert = create(
        &account,
        json!({"title": "t", "destination_ids": [], "description": "d"}),
    )
    .json();
    let changed = call(
        &account,
        "PUT",
        &alert,
        "",
        Some(json!({"description": null})),
    )
    .assert_status(200)
    .json();
    assert_eq!(changed["description"], Value::Null);

    for name in [
        "meta",
        "destination_ids",
        "title",
        "urgency",
        "tags",
        "additional_data",
    ] {
        let fault = format!("'{name}' must not be null");
        call(&account, "PUT", &alert, "", Some(json!({name: null}))).assert_error(400, &[&fault]);
    }

    assert_eq!(call(&account, "GET", &alert, "", None).json(), changed);
}

#[test]
fn strict_update_of_a_read_only_attribute_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    let alert = created(&account, "t");
    let unchangeable =
        json!({"resolved": 5, "thirdparty_id": "x", "source_id": "int_1", "bogus": null});

    call(&account, "PUT", &alert, "", Some(unchangeable.clone())).assert_status(200);
    assert_eq!(call(&account, "GET", &alert, "", None).json(), alert);
    let strict = account.with("X-Strict", "true");

    call(&strict, "PUT", &alert, "", Some(unchangeable)).assert_error(
        400,
        &[
            "'thirdparty_id' cannot be changed by an update",
            "'source_id' cannot be changed by an update",
            "'resolved' cannot be changed by an update",
            "'bogus' is not a known parameter",
        ],
    );
    call(&strict, "PUT", &alert, "", Some(alert.clone())).assert_status(200);
    let unknown = json!({"id": "alt_unknown"});
    call(&strict, "PUT", &unknown, "", Some(json!({"title": 5})))
        .assert_error(400, &["'title' must be"]);
    call(&strict, "PUT", &unknown, "", Some(json!({"resolved": 1})))
        .assert_error(404, &["Alert not found"]);
}

#[test]
fn alert_of_a_large_event_can_be_put_back() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration =
        account.created_from(json!({"name": "n", "type": "webhook", "destination_ids": ["tem_1"]}));
    let tags: Vec<String> = (0..101).map(|number| format!("tag {number}")).collect();
    let event = json!({"event_type": "create", "id": "x", "title": "t".repeat(1025), "tags": tags});
    let path = format!("/integration/{}", id(&integration));

    server
        .anonymous()
        .send("POST", &path, Some(&event.to_string()))
        .assert_status(200);

    let mut alert = list(&account, "")["data"][0].clone();
    call(&account, "PUT", &alert, "", Some(alert.clone())).assert_status(200);
    alert["description"] = json!("a note");
    assert_eq!(
        call(&account, "PUT", &alert, "", Some(alert.clone()))
            .assert_status(200)
            .json()["description"],
        "a note"
    );
    alert["title"] = json!("u".repeat(1025));
    call(&account, "PUT", &alert, "", Some(alert.clone()))
        .assert_error(400, &["'title' must have 1 to 1024"]);
}

#[test]
fn alert_with_an_integration_as_source_counts_as_its_event() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration = account.created_from(
        json!({"name": "n", "type": "webhook", "urgency": "low", "destination_ids": ["tem_1"]}),
    );
    let body = json!({"title": "t", "source_id": id(&integration), "thirdparty_id": "x"});
    let alert = create(&account, body.clone()).assert_status(200).json();

    assert_eq!(
        (&alert["urgency"], &alert["destination_ids"]),
        (&json!("low"), &json!(["tem_1"]))
    );
    create(&account, body.clone()).assert_error(409, &[&format!("The alert '{}'", id(&alert))]);

    let path = format!("/integration/{}", id(&integration));
    let event = |kind: &str| {
        let event = json!({"event_type": kind, "id": "x", "title": "t"}).to_string();
        server
            .anonymous()
            .send("POST", &path, Some(&event))
            .assert_status(200);
    };

    event("create");
    assert_eq!(list(&account, "")["total_count"], 1);
    event("resolve");
    assert_eq!(
        call(&account, "GET", &alert, "", None).json()["status"],
        "resolved"
    );
    assert_eq!(
        call(&account, "GET", &alert, "", None).json()["resolvedby"],
        integration["id"]
    );
    create(&account, body).assert_status(200);
}
