//! Actions on alerts, which their status must allow, and lists of alerts.

use crate::{
    alerts::{call, create, created, list, titles},
    server::TestServer,
};
use serde_json::json;

#[test]
fn action_is_refused_unless_the_status_allows_it() {
    let server = TestServer::at(1_700_000_000_000);
    let account = server.account("ops");
    let alert = created(&account, "t");
    let step = |name: &str| call(&account, "POST", &alert, &format!("/{name}"), None);

    step("archive").assert_error(
        400,
        &["Only an alert that is resolved or dropped can be archived, but this one is open"],
    );
    server.clock.set(1_700_000_010_000);

    let taken = step("acknowledge").assert_status(200).json();
    assert_eq!(
        (&taken["status"], &taken["acknowledged"]),
        (&json!("acknowledged"), &json!(1_700_000_010))
    );
    assert_eq!(taken["acknowledgedby"], alert["sid"]);
    step("acknowledge").assert_error(400, &["but this one is acknowledged"]);
    server.clock.set(1_600_000_000_000);
    assert_eq!(
        step("resolve").assert_status(200).json()["resolved"],
        1_700_000_010,
        "never back"
    );
    let archived = step("archive").assert_status(200).json();
    assert_eq!(
        (&archived["status"], &archived["archived"]),
        (&json!("archived"), &json!(1_700_000_010))
    );

    for name in ["acknowledge", "resolve", "archive"] {
        step(name).assert_error(400, &["but this one is archived"]);
    }
}

#[test]
fn actor_of_an_action_is_recorded() {
    let server = TestServer::start();
    let body = json!({"username": "alice", "password": "x"}).to_string();
    let token = server
        .anonymous()
        .send("POST", "/public/login", Some(&body))
        .json()["token"]
        .clone();
    let alice = server.account(token.as_str().unwrap());
    let alert = created(&alice, "t");
    assert!(
        alert["source_id"].as_str().unwrap().starts_with("usr_"),
        "{alert}"
    );
    let taken = call(&alice, "POST", &alert, "/acknowledge", None).json();
    assert_eq!(taken["acknowledgedby"], alert["source_id"]);
}

#[test]
fn alerts_are_listed_like_integrations() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (number, urgency) in ["low", "high", "critical", "low"].into_iter().enumerate() {
        let body = json!({"title": format!("alert {number}"), "destination_ids": [], "urgency": urgency, "tags": [urgency]});
        let alert = create(&account, body).json();
        if number > 1 {
            call(&account, "POST", &alert, "/acknowledge", None).assert_status(200);
        }
    }

    for (query, expected) in [
        ("status=open", vec!["alert 0", "alert 1"]),
        ("urgency=low&status=acknowledged", vec!["alert 3"]),
        (
            "tags=low&ops=tags:contains&sort=-tinyId",
            vec!["alert 3", "alert 0"],
        ),
        ("limit=1&page=2", vec!["alert 1"]),
        ("sort=-title&limit=2", vec!["alert 3", "alert 2"]),
        (
            "acknowledged=1&ops=acknowledged:gt&limit=1",
            vec!["alert 2"],
        ),
    ] {
        assert_eq!(titles(&account, query), expected, "{query}");
    }

    let page = list(&account, "status=open&limit=1&select=title");
    assert_eq!(
        page,
        json!({"data": [{"title": "alert 0"}], "has_more": true, "total_count": 2})
    );
    account
        .send("GET", "/alert?colour=red", None)
        .assert_error(400, &["'colour' is not an attribute"]);
}
