//! `createdAt` and `updatedAt`: UTC with milliseconds and `Z`; forward with every change, never
//! backward.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

/// 2018-04-27T00:02:50.419Z
const START: i64 = 1_524_787_370_419;

fn updated_at(account: &Caller, integration: &Value, change: Value) -> String {
    let updated = account
        .update(id(integration), change)
        .assert_status(200)
        .json();
    assert_eq!(updated["createdAt"], integration["createdAt"]);
    updated["updatedAt"].as_str().unwrap().to_owned()
}

#[test]
fn times_are_utc_with_milliseconds_and_z() {
    for (millis, text) in [
        (START, "2018-04-27T00:02:50.419Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
    ] {
        let server = TestServer::at(millis);
        let created = server.account("ops").created("x");
        assert_eq!(
            (&created["createdAt"], &created["updatedAt"]),
            (&json!(text), &json!(text))
        );
    }
}

#[test]
fn updated_at_is_the_time_of_the_change() {
    let server = TestServer::at(START);
    let account = server.account("ops");
    let created = account.created("x");
    server.clock.set(START + 15_679);
    assert_eq!(
        updated_at(&account, &created, json!({"name": "y"})),
        "2018-04-27T00:03:06.098Z"
    );
}

#[test]
fn updated_at_stays_when_nothing_changed() {
    let server = TestServer::at(START);
    let account = server.account("ops");
    let body = json!({
        "name": "x", "type": "email", "enabled": true, "urgency": "high", "destination_ids": ["tem_a"],
        "meta": {"a": 1, "b": [1.5]}, "options": {},
    });

    let created = account.created_from(body.clone());
    server.clock.set(START + 60_000);
    let same_by_rule =
        json!({"name": "  x ", "enabled": "true", "destination_ids": ["tem_a", "tem_a"]});

    for change in [
        json!({}),
        body,
        created.clone(),
        same_by_rule,
        json!({"unknown": 1}),
        json!({"tinyId": 5}),
    ] {
        assert_eq!(
            updated_at(&account, &created, change.clone()),
            "2018-04-27T00:02:50.419Z",
            "{change}"
        );
    }
}

#[test]
fn updated_at_increases_when_the_clock_stands_still() {
    let server = TestServer::at(START);
    let account = server.account("ops");
    let created = account.created("x");
    assert_eq!(
        updated_at(&account, &created, json!({"name": "y"})),
        "2018-04-27T00:02:50.420Z"
    );
    assert_eq!(
        updated_at(&account, &created, json!({"name": "z"})),
        "2018-04-27T00:02:50.421Z"
    );
}

#[test]
fn updated_at_never_decreases() {
    let server = TestServer::at(START);
    let account = server.account("ops");
    let created = account.created("x");

    server.clock.set(START - 86_400_000);
    assert_eq!(
        updated_at(&account, &created, json!({"name": "y"})),
        "2018-04-27T00:02:50.420Z"
    );
    server.clock.set(i64::MIN);
    assert_eq!(
        updated_at(&account, &created, json!({"name": "z"})),
        "2018-04-27T00:02:50.421Z"
    );
}

#[test]
fn refused_update_leaves_updated_at_unchanged() {
    let server = TestServer::at(START);
    let account = server.account("ops");
    let created = account.created("x");
    server.clock.set(START + 1_000);
    account
        .update(id(&created), json!({"name": "y", "meta": 1}))
        .assert_status(400);
    assert_eq!(account.get(id(&created)).json(), created);
}
