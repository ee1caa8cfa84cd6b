//! Broadcasts, accounts, notes, rejections, actions on many alerts, and destinations that must
//! exist.

use crate::{
    alerts::{call, created, list},
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::{Value, json};

fn post(account: &Caller, path: &str, body: Value) -> Response {
    account.send("POST", path, Some(&body.to_string()))
}

fn get(account: &Caller, path: &str) -> Response {
    account.send("GET", path, None)
}

#[test]
fn broadcasts_are_alerts_of_their_subtype() {
    let server = TestServer::start();
    let account = server.account("ops");
    let other = created(&account, "no broadcast");
    let body = json!({"title": "All hands", "destination_ids": ["tem_1"]});
    let response = post(&account, "/broadcast", body).assert_status(200);
    let broadcast = response.json();
    let path = format!("/broadcast/{}", id(&broadcast));
    assert_eq!(response.header("location"), Some(path.as_str()));

    for query in ["", "?limit=5", "?sort=-createdAt&title=All%20hands"] {
        let list = get(&account, &format!("/broadcast{query}"))
            .assert_status(200)
            .json();
        assert_eq!(list["data"], json!([broadcast]), "{query}");
    }
    assert_eq!(get(&account, &path).assert_status(200).json(), broadcast);
    assert_eq!(
        get(&account, &format!("/alert/{}", id(&broadcast))).json(),
        broadcast
    );

    let path_of_other = format!("/broadcast/{}", id(&other));
    get(&account, &path_of_other).assert_error(404, &["Broadcast not found"]);
    account
        .send("DELETE", &path_of_other, None)
        .assert_error(404, &["Broadcast not found"]);
    get(&server.account("other"), &path).assert_error(404, &["Broadcast not found"]);
    account.send("DELETE", &path, None).assert_status(204);
    assert_eq!(list(&account, "")["total_count"], 1);
}

#[test]
fn account_begins_with_its_first_object() {
    let server = TestServer::at(1_700_000_000_000);
    let account = server.account("ops");
    let alert = created(&account, "t");
    server.clock.set(1_800_000_000_000);
    account.created("later");

    let sid = alert["sid"].as_str().unwrap();
    let found = get(&account, &format!("/account/{sid}"))
        .assert_status(200)
        .json();
    assert_eq!(
        (&found["id"], &found["sid"], &found["name"]),
        (&json!(sid), &json!(sid), &json!(sid))
    );
    assert_eq!(found["createdAt"], alert["createdAt"]);
    get(&server.account("other"), &format!("/account/{sid}"))
        .assert_error(404, &["Account not found"]);
    get(&account, "/account/x").assert_error(404, &["Account not found"]);
}

#[test]
fn rejected_alert_stays_open() {
    let server = TestServer::start();
    let account = server.account("ops");
    let alert = created(&account, "t");
    let rejected = call(&account, "POST", &alert, "/reject", None)
        .assert_status(200)
        .json();
    assert_eq!(rejected["status"], "open");
    assert_ne!(rejected["updatedAt"], alert["updatedAt"]);
    call(&account, "POST", &alert, "/acknowledge", None).assert_status(200);
    call(&account, "POST", &alert, "/reject", None).assert_error(
        400,
        &["Only an alert that is open can be rejected, but this one is acknowledged"],
    );
}

#[test]
fn action_on_many_alerts_is_applied_to_all_or_none() {
    let server = TestServer::start();
    let account = server.account("ops");
    let alerts: Vec<Value> = ["a", "b", "c"].map(|title| created(&account, title)).into();
    let ids: Vec<&str> = alerts.iter().map(id).collect();
    let act = |kind: &str, ids: &[&str]| {
        let body = json!({"type": kind, "alert_ids": ids});
        post(&account, "/alert/mass-action", body)
    };

    let done = act("acknowledge", &ids[..2]).assert_status(200).json();
    assert_eq!(
        (&done["total_count"], &done["has_more"]),
        (&json!(2), &json!(false))
    );
    let acknowledged = done["data"].as_array().unwrap();
    assert!(
        acknowledged
            .iter()
            .all(|alert| alert["status"] == "acknowledged"),
        "{done}"
    );

    act("acknowledge", &ids).assert_error(
        400,
        &[
            &format!("{}: Only an alert that is open or dropped", ids[0]),
            &format!("{}: Only an alert that is open or dropped", ids[1]),
        ],
    );
    assert_eq!(
        list(&account, "status=open")["total_count"],
        1,
        "nothing was changed"
    );
    act("resolve", &[ids[0], "alt_unknown"]).assert_error(404, &["Alert not found"]);
    assert_eq!(
        list(&account, "status=resolved")["total_count"],
        0,
        "nothing was changed"
    );

    for kind in ["resolve", "archive", "delete"] {
        act(kind, &ids[..2]).assert_status(200);
    }
    assert_eq!(list(&account, "")["total_count"], 1);
}

#[test]
fn malformed_action_on_many_alerts_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    post(&account, "/alert/mass-action", json!({}))
        .assert_error(400, &["'type' is a required", "'alert_ids' is a required"]);
    let body = json!({"type": "explode", "alert_ids": ["int_1"]});
    post(&account, "/alert/mass-action", body).assert_error(
        400,
        &[
            "'type' must be acknowledge, reject, resolve, delete or archive",
            "'alert_ids' at position 0",
        ],
    );
    let body = json!({"type": "resolve", "alert_ids": []});
    post(&account, "/alert/mass-action", body)
        .assert_error(400, &["'alert_ids' must have at least one"]);
    let many: Vec<String> = (0..101).map(|number| format!("alt_{number}")).collect();
    post(
        &account,
        "/alert/mass-action",
        json!({"type": "resolve", "alert_ids": many}),
    )
    .assert_error(400, &["'alert_ids' must have at most 100"]);
}

#[test]
fn note_is_kept_as_a_log() {
    let server = TestServer::at(1_700_000_000_000);
    let account = server.account("ops");
    let alert = created(&account, "t");
    let body = json!({
        "content": "Looks bad", "owner_id": alert["id"], "type": "feedback", "subtype": "INCOMING", "level": 7, "meta": {"a": 1},
    });
    let response = post(&account, "/log", body).assert_status(200);
    let note = response.json();
    let location = format!("/log/{}", id(&note));
    assert_eq!(response.header("location"), Some(location.as_str()));
    for (name, expected) in [
        ("content", json!("Looks bad")),
        ("type", json!("feedback")),
        ("subtype", json!("INCOMING")),
        ("owner_id", alert["id"].clone()),
        ("source_id", alert["sid"].clone()),
        ("level", json!(7)),
        ("alert_id", alert["id"].clone()),
        ("meta", json!({"a": 1})),
        ("action", json!("note")),
    ] {
        assert_eq!(note[name], expected, "{name}");
    }

    let found = get(&account, "/log?type=feedback&level=7")
        .assert_status(200)
        .json();
    assert_eq!(found["data"], json!([note]));
    post(&account, "/log", note.clone()).assert_status(200);
    post(
        &account,
        "/log",
        json!({"type": "x", "subtype": "up", "level": 256}),
    )
    .assert_error(
        400,
        &[
            "'content' is a required",
            "'type' must be log, response",
            "'subtype' must be INCOMING",
            "'owner_id' is a required",
            "'level' must be a whole number from 0 to 255",
        ],
    );
}

#[test]
fn destination_must_exist_in_strict_mode_once_the_account_has_any_of_its_kind() {
    let server = TestServer::start();
    let account = server.account("ops");
    let strict = account.with("X-Strict", "true");
    let body = |destination: &str| json!({"title": "t", "destination_ids": [destination]});
    post(&strict, "/alert", body("usr_unknown")).assert_status(200);
    post(&strict, "/alert", body("tem_unknown")).assert_status(200);

    let user = json!({"name": "Ann", "email": "ann@example.com"});
    let user = post(&account, "/user", user).assert_status(200).json();
    let expected =
        "'destination_ids' at position 0 must be a user of this account, but was 'usr_unknown'";
    post(&strict, "/alert", body("usr_unknown")).assert_error(400, &[expected]);
    post(&account, "/alert", body("usr_unknown")).assert_status(200);
    post(&strict, "/alert", body(id(&user))).assert_status(200);
    post(&strict, "/alert", body("tem_unknown")).assert_status(200);

    let team = post(&account, "/team", json!({"name": "n"}))
        .assert_status(200)
        .json();
    let integration =
        json!({"name": "n", "type": "email", "destination_ids": [id(&team), "tem_x", "skd_1"]});
    strict.create(integration).assert_error(
        400,
        &["'destination_ids' at position 1 must be a team of this account"],
    );
    let existing = account.created("x");
    strict
        .update(id(&existing), json!({"destination_ids": ["usr_x"]}))
        .assert_error(400, &["at position 0 must be a user"]);
}
