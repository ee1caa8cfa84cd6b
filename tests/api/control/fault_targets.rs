//! Faults of events, webhooks and logins, and `Prefer`.

use super::faults::{counts, rule, set};
use crate::{callers::id, receiver::Receiver, server::TestServer};
use serde_json::json;

#[test]
fn events_can_be_hit() {
    let server = TestServer::start();
    let account = server.account("ops");
    let source = account.created_from(json!({
        "name": "source", "type": "webhook", "destination_ids": []
    }));
    rule(
        &account,
        json!({"match": {"kind": "event", "type": "webhook"}, "nth": [1], "do": {"status": 500}}),
    );
    let path = format!("/integration/{}", id(&source));
    let event = r#"{"event_type":"create","id":"1","title":"t"}"#;
    let send = || {
        server
            .anonymous()
            .faulty()
            .send("POST", &path, Some(event))
            .status
    };
    assert_eq!([send(), send()], [500, 200]);
    assert_eq!(account.send("GET", "/alert", None).json()["total_count"], 1);
}

#[test]
fn webhooks_are_hit_by_rules_that_name_them() {
    let receiver = Receiver::answering(&[200]);
    let server = TestServer::with(|settings| settings.outgoing.first_retry_seconds = 1);
    let account = server.account("ops");
    set(
        &account,
        json!({"rules": [
            {"match": {"path": "**"}, "do": {"delay_ms": 0, "status": 418}, "nth": [1_000]},
            {"match": {"kind": "webhook", "method": "POST"}, "nth": [1], "do": {"status": 503}},
        ]}),
    );
    account.created_from(json!({
        "name": "hook", "type": "outgoingwebhook", "destination_ids": [],
        "options": {"url": receiver.url(), "alert_created": true},
    }));
    account
        .send(
            "POST",
            "/alert",
            Some(r#"{"title":"t","destination_ids":["tem_1"]}"#),
        )
        .assert_status(200);
    account
        .send(
            "GET",
            "/_local/wait?for=webhook&count=2&timeout=60s&sort=tinyId",
            None,
        )
        .assert_status(200);
    let logs = account.send("GET", "/log?subtype=OUTGOING", None).json();
    assert_eq!(logs["data"][0]["status"], 503);
    assert_eq!(logs["data"][1]["status"], 200);
    assert_eq!(counts(&account)[1], (2, 1));
}

#[test]
fn login_is_hit_by_the_faults_of_its_user() {
    let server = TestServer::start();
    let body = r#"{"username":"alice","password":"pw"}"#;
    let login = || {
        server
            .anonymous()
            .faulty()
            .send("POST", "/public/login", Some(body))
    };
    let token = login().assert_status(200).json()["token"].clone();
    let alice = server.account(token.as_str().unwrap());
    rule(
        &alice,
        json!({"match": {"path": "/public/login"}, "times": 1, "do": {"status": 500}}),
    );
    assert_eq!([login().status, login().status], [500, 200]);
}

#[test]
fn one_request_can_ask_for_its_fault() {
    let server = TestServer::start();
    let account = server.account("ops");
    let asking = |preference: &str| account.with("Prefer", preference);
    let refused = asking("code=503, delay=1")
        .faulty()
        .send("GET", "/log", None);
    assert_eq!(refused.status, 503);
    asking("return=minimal").list("").assert_status(200);
    asking("code=abc")
        .list("")
        .assert_error(400, &["'Prefer.status' must be a status from 200 to 599"]);
    account.list("").assert_status(200);
    asking("code=503")
        .with("X-Forwarded-For", "192.0.2.1")
        .list("")
        .assert_status(200);
}

#[test]
fn preferences_are_ignored_without_the_control_plane() {
    let server = TestServer::with(|settings| settings.test.control = false);
    server
        .account("ops")
        .with("Prefer", "code=503")
        .list("")
        .assert_status(200);
}
