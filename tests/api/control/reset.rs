//! `POST /_local/reset`.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

fn reset(caller: &Caller) {
    caller
        .send("POST", "/_local/reset", None)
        .assert_status(204);
}

/// Something of every kind: an integration, an alert, logs, a webhook that waits and an idempotency
/// key. Returns the integration.
fn fill(account: &Caller) -> Value {
    let options = json!({"url": "http://127.0.0.1:1/", "alert_created": true});
    account.created_from(json!({
        "name": "hook", "type": "outgoingwebhook", "destination_ids": [], "options": options
    }));
    let source = account.created_from(json!({
        "name": "source", "type": "webhook", "destination_ids": []
    }));
    let event = json!({"event_type": "create", "id": "1", "title": "t"}).to_string();
    account
        .send(
            "POST",
            &format!("/integration/{}", id(&source)),
            Some(&event),
        )
        .assert_status(200);
    account
        .with("Idempotency-Key", "k")
        .created_from(json!({"name": "keyed", "type": "email", "destination_ids": []}));
    source
}

fn totals(account: &Caller) -> [Value; 3] {
    ["/integration", "/alert", "/log"].map(|path| {
        let list = account.send("GET", path, None).assert_status(200).json();
        list["total_count"].clone()
    })
}

#[test]
fn reset_account_is_as_if_never_used() {
    let server = TestServer::start();
    let account = server.account("ops");
    let source = fill(&account);
    // Lists with filters and orders of their own, so that indexes and cached pages exist.
    for query in ["", "name=source", "sort=name", "type=email&limit=1"] {
        assert_ne!(account.total(query), 0, "{query}");
    }

    reset(&account);
    assert_eq!(totals(&account), [json!(0), json!(0), json!(0)]);
    account.get(id(&source)).assert_status(404);
    for query in ["", "name=source", "sort=name", "type=email&limit=1"] {
        assert_eq!(account.total(query), 0, "{query}");
    }

    let again = fill(&account);
    assert_eq!(again["tinyId"], source["tinyId"], "numbers begin again");
    assert_eq!(totals(&account)[1], 1, "the event opened an alert again");
    let alerts = account.send("GET", "/alert", None).json();
    assert_eq!(alerts["data"][0]["tinyId"], 1);
    assert_eq!(account.names("name=source"), ["source"]);
}

#[test]
fn reset_forgets_idempotency_keys() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = |name: &str| json!({"name": name, "type": "email", "destination_ids": []});
    let keyed = account.with("Idempotency-Key", "k");
    keyed.create(body("one")).assert_status(200);
    keyed.create(body("two")).assert_status(409);
    reset(&account);
    keyed.create(body("two")).assert_status(200);
}

#[test]
fn other_accounts_keep_everything() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    fill(&ours);
    let source = fill(&theirs);
    let before = totals(&theirs);
    reset(&ours);
    assert_eq!(totals(&theirs)[..2], before[..2]);
    assert_eq!(theirs.get(id(&source)).assert_status(200).json(), source);
    theirs
        .with("Idempotency-Key", "k")
        .create(json!({"name": "other", "type": "email", "destination_ids": []}))
        .assert_status(409);
}

#[test]
fn reset_of_all_accounts_empties_each() {
    let server = TestServer::start();
    let accounts = ["one", "two"].map(|token| server.account(token));
    accounts.iter().for_each(|account| drop(fill(account)));
    accounts[0]
        .send("POST", "/_local/reset?all=true", None)
        .assert_status(204);
    for account in &accounts {
        assert_eq!(totals(account), [json!(0), json!(0), json!(0)]);
    }
}

#[test]
fn reset_is_on_disk() {
    let server = TestServer::on_disk();
    let account = server.account("ops");
    fill(&account);
    reset(&account);
    let server = server.restart();
    let account = server.account("ops");
    assert_eq!(totals(&account), [json!(0), json!(0), json!(0)]);
    assert_eq!(account.created("first")["tinyId"], 1);
}
