//! The attributes of PagerTree's logs, and filters on them.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

fn logs(account: &Caller, query: &str) -> Vec<Value> {
    let list = account.send("GET", &format!("/log?{query}"), None);
    let list = list.assert_status(200).json();
    list["data"].as_array().unwrap().clone()
}

/// An account with one integration, and the logs of an event that opened an alert, of one that did
/// nothing, and of one that was refused.
fn with_events() -> (TestServer, Caller, Value) {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration = account.created_from(json!({
        "name": "n", "type": "webhook", "destination_ids": [], "options": {"token": "secret"},
    }));
    let path = format!("/integration/{}", id(&integration));
    let event = json!({"event_type": "create", "id": "x", "title": "t"}).to_string();
    let sender = server.anonymous().with("pagertree-token", "secret");

    sender.send("POST", &path, Some(&event)).assert_status(200);
    let other = json!({"event_type": "resolve", "id": "unknown"}).to_string();
    sender.send("POST", &path, Some(&other)).assert_status(200);
    server
        .anonymous()
        .send("POST", &path, Some(&event))
        .assert_status(403);

    (server, account, integration)
}

#[test]
fn log_of_a_request_has_the_attributes_of_pagertree() {
    let (_server, account, integration) = with_events();
    let all = logs(&account, "");
    let [created, ignored, refused] = &all[..] else {
        panic!("{all:#?}")
    };

    for log in [created, ignored, refused] {
        assert_eq!(
            (&log["type"], &log["subtype"]),
            (&json!("log"), &json!("INCOMING"))
        );
        assert_eq!(log["content"], log["outcome"]);
        assert_eq!(log["source_id"], integration["id"]);
    }
    assert_eq!(
        created["owner_id"], created["alert_id"],
        "the alert it opened"
    );
    assert_eq!(ignored["owner_id"], integration["id"], "no alert");
    assert_eq!(
        [&created["level"], &ignored["level"], &refused["level"]],
        [2, 2, 3]
    );
}

#[test]
fn logs_are_filtered_and_sorted_by_these_attributes() {
    let (_server, account, integration) = with_events();
    let alert = logs(&account, "action=create")[0]["alert_id"].clone();
    for (query, expected) in [
        ("type=log", 3),
        ("type=feedback", 0),
        ("type=incoming", 3),
        ("type=outgoing", 0),
        ("subtype=INCOMING", 3),
        ("subtype=OUTGOING", 0),
        ("subtype=null", 0),
        ("level=3", 1),
        ("level=2&ops=level:lte", 2),
        (&*format!("owner_id={}", alert.as_str().unwrap()), 1),
        (&*format!("owner_id={}", id(&integration)), 2),
        ("content=alert&ops=content:contains&sort=-content", 2),
    ] {
        assert_eq!(logs(&account, query).len(), expected, "{query}");
    }

    let selected = logs(
        &account,
        "select=content,type,subtype,owner_id,level&limit=1",
    );
    assert_eq!(
        selected[0].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["content", "type", "subtype", "owner_id", "level"]
    );
}
