//! Updates of an alert that act on it, and attributes of PagerTree's version 3.

use crate::{
    alerts::{call, create, created, list},
    server::TestServer,
};
use serde_json::{Value, json};

#[test]
fn update_of_the_status_acts_like_the_action_of_that_name() {
    let server = TestServer::at(1_700_000_000_000);
    let account = server.account("ops");
    let alert = created(&account, "t");
    server.clock.set(1_700_000_010_000);

    let body = json!({"status": "resolved", "resolved": 5, "title": "over"});
    let resolved = call(&account, "PUT", &alert, "", Some(body)).assert_status(200);
    let resolved = resolved.json();
    assert_eq!(
        (
            &resolved["status"],
            &resolved["resolved"],
            &resolved["title"]
        ),
        (&json!("resolved"), &json!(1_700_000_010), &json!("over"))
    );
    assert_eq!(resolved["resolvedby"], alert["sid"]);
    assert_eq!(resolved["updatedAt"], "2023-11-14T22:13:30.000Z");
    assert_eq!(list(&account, "status=resolved")["total_count"], 1);

    let again = json!({"status": "resolved"});
    let unchanged = call(&account, "PUT", &alert, "", Some(again)).assert_status(200);
    assert_eq!(unchanged.json(), resolved, "nothing changes");
}

#[test]
fn update_of_the_status_is_refused_where_the_action_would_be() {
    let server = TestServer::start();
    let account = server.account("ops");
    let alert = created(&account, "t");
    for (status, expected) in [
        (
            "archived",
            "resolved or dropped can be archived, but this one is open",
        ),
        (
            "dropped",
            "'status' can be set to acknowledged, resolved or archived, but not to dropped",
        ),
        (
            "closed",
            "'status' must be open, acknowledged, resolved, dropped or archived",
        ),
    ] {
        let body = json!({"status": status, "title": "changed"});
        call(&account, "PUT", &alert, "", Some(body)).assert_error(400, &[expected]);
    }

    call(&account, "POST", &alert, "/acknowledge", None).assert_status(200);
    let reopen = json!({"status": "open"});
    call(&account, "PUT", &alert, "", Some(reopen))
        .assert_error(400, &["but not to open; the alert is acknowledged"]);
    assert_eq!(call(&account, "GET", &alert, "", None).json()["title"], "t");
}

#[test]
fn strict_mode_resolves_only_acknowledged_alerts() {
    let server = TestServer::start();
    let account = server.account("ops").with("X-Strict", "true");
    let alert = created(&account, "t");
    let expected = "Only an alert that is acknowledged can be resolved, but this one is open";
    call(&account, "POST", &alert, "/resolve", None).assert_error(400, &[expected]);
    let resolve = || Some(json!({"status": "resolved"}));
    call(&account, "PUT", &alert, "", resolve()).assert_error(400, &[expected]);

    call(&account, "POST", &alert, "/acknowledge", None).assert_status(200);
    call(&account, "PUT", &alert, "", resolve()).assert_status(200);
}

#[test]
fn subtype_is_kept_and_changed() {
    let server = TestServer::start();
    let account = server.account("ops");
    for subtype in ["alert", "broadcast", "page"] {
        let body = json!({"title": "t", "destination_ids": [], "subtype": subtype});
        let alert = create(&account, body).assert_status(200).json();
        assert_eq!(
            (&alert["type"], &alert["subtype"]),
            (&json!("alert"), &json!(subtype))
        );
        assert_eq!(
            list(&account, &format!("subtype={subtype}"))["total_count"],
            1
        );
    }

    let alert = created(&account, "t");
    let page = json!({"subtype": "page"});
    let changed = call(&account, "PUT", &alert, "", Some(page)).assert_status(200);
    assert_eq!(changed.json()["subtype"], "page");
    let body = json!({"title": "t", "destination_ids": [], "subtype": "pigeon"});
    create(&account, body).assert_error(400, &["'subtype' must be alert, broadcast or page"]);
}

#[test]
fn additional_data_may_hold_an_array_of_addresses() {
    let server = TestServer::start();
    let account = server.account("ops");
    let data =
        json!([{"type": "email[]", "label": "To", "value": ["a@example.com", "b@example.com"]}]);
    let body = json!({"title": "t", "destination_ids": [], "additional_data": data});
    let alert = create(&account.with("X-Strict", "true"), body).assert_status(200);
    assert_eq!(alert.json()["additional_data"], data);
}

#[test]
fn strict_mode_refuses_what_came_with_version_4() {
    let server = TestServer::start();
    let account = server.account("ops");
    let strict = account.with("X-Strict", "true");
    let datum = |kind: &str| json!([{"type": kind, "label": "l", "value": "v"}]);
    for (change, expected) in [
        (
            json!({"urgency": "silent"}),
            "'urgency' must be low, medium, high or critical",
        ),
        (
            json!({"additional_data": datum("phone")}),
            "'additional_data' at position 0 must have the type",
        ),
        (
            json!({"additional_data": datum("datetime")}),
            "'additional_data' at position 0 must have the type",
        ),
    ] {
        let mut body = json!({"title": "t", "destination_ids": []});
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        create(&strict, body.clone()).assert_error(400, &[expected]);

        let alert: Value = create(&account, body).assert_status(200).json();
        call(&strict, "PUT", &alert, "", Some(alert.clone())).assert_status(200);
        let other = created(&account, "other");
        call(&strict, "PUT", &other, "", Some(change)).assert_error(400, &[expected]);
    }
}
