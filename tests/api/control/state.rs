//! `/_local/state`: an account as the lines of an export.

use crate::{
    callers::{Caller, id},
    receiver::alert,
    server::TestServer,
};
use serde_json::{Value, json};
use std::fs;

fn get(caller: &Caller) -> String {
    let answer = caller.send("GET", "/_local/state", None).assert_status(200);
    assert_eq!(answer.header("content-type"), Some("application/jsonl"));
    answer.text
}

fn put(caller: &Caller, state: &str) {
    caller
        .send("PUT", "/_local/state", Some(state))
        .assert_status(204);
}

/// An integration, an alert of it and a log. Returns the integration.
fn fill(account: &Caller) -> Value {
    let source =
        account.created_from(json!({"name": "w", "type": "webhook", "destination_ids": []}));
    let event = json!({"event_type": "create", "id": "1", "title": "t"}).to_string();
    let path = format!("/integration/{}", id(&source));
    account.send("POST", &path, Some(&event)).assert_status(200);
    source
}

#[test]
fn state_has_the_lines_of_an_export() {
    let server = TestServer::start();
    let account = server.account("ops");
    let source = fill(&account);
    let lines: Vec<Value> = get(&account)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[0],
        json!({"format": "pagertree-local export", "version": 1})
    );
    let objects: Vec<&str> = lines[1..]
        .iter()
        .flat_map(|line| line.as_object().unwrap().keys().map(String::as_str))
        .filter(|kind| *kind != "account")
        .collect();
    assert_eq!(objects, ["integration", "alert", "log"]);
    let integration = lines.iter().find_map(|line| line.get("integration"));
    assert_eq!(integration, Some(&source));
}

#[test]
fn state_that_was_put_is_what_was_read() {
    let server = TestServer::start();
    let account = server.account("ops");
    let source = fill(&account);
    let state = get(&account);

    account.delete(id(&source)).assert_status(204);
    alert(&account, "another");
    put(&account, &state);
    assert_eq!(get(&account), state);
    assert_eq!(account.get(id(&source)).assert_status(200).json(), source);
    assert_eq!(account.total("name=w"), 1);

    // The deduplication of the source's events goes on where it was.
    let path = format!("/integration/{}", id(&source));
    let resolve = json!({"event_type": "resolve", "id": "1"}).to_string();
    account
        .send("POST", &path, Some(&resolve))
        .assert_status(200);
    let alerts = account.send("GET", "/alert", None).json();
    assert_eq!(alerts["data"][0]["status"], "resolved", "{alerts:#}");
    assert_eq!(account.created("next")["tinyId"], 2);
}

#[test]
fn state_can_be_written_by_hand() {
    let server = TestServer::start();
    let account = server.account("ops");
    let sid = account.created("any")["sid"].clone();
    let integration = json!({
        "sid": sid, "id": "int_by_hand", "createdAt": "2018-04-27T00:02:50.419Z",
        "updatedAt": "2018-04-27T00:02:50.419Z", "meta": {}, "tinyId": 7, "name": "n",
        "type": "outgoingwebhook", "enabled": true, "urgency": "low", "destination_ids": [],
        "options": {"url": "http://127.0.0.1:1/"}
    });
    let lines = [
        json!({"format": "pagertree-local export", "version": 1}),
        json!({"account": {"sid": sid, "collection": "integrations", "lastTinyId": 9}}),
        json!({"integration": integration}),
    ];
    put(&account, &lines.map(|line| line.to_string()).join("\n"));
    assert_eq!(account.total(""), 1);
    assert_eq!(
        account.get("int_by_hand").assert_status(200).json(),
        integration
    );
    assert_eq!(account.created("next")["tinyId"], 10);
}

#[test]
fn faulty_state_changes_nothing() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    fill(&ours);
    fill(&theirs);
    let (before, foreign) = (get(&ours), get(&theirs));
    for (state, part) in [
        ("", "line 1: the export is empty"),
        ("nonsense", "line 1: not an export"),
        (foreign.as_str(), "The state has lines of account 'acc_"),
    ] {
        ours.send("PUT", "/_local/state", Some(state))
            .assert_error(400, &[part]);
    }
    let faults = format!("{before}{{}}\n[]\n");
    let answer = ours.send("PUT", "/_local/state", Some(&faults));
    assert_eq!(answer.status, 400);
    assert_eq!(answer.messages().len(), 2, "every problem is named");
    assert_eq!(get(&ours), before);
}

#[test]
fn id_of_another_account_is_refused() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    let source = fill(&theirs);
    let sid = ours.created("any")["sid"].as_str().unwrap().to_owned();
    let state = get(&theirs).replace(source["sid"].as_str().unwrap(), &sid);
    ours.send("PUT", "/_local/state", Some(&state))
        .assert_error(409, &["exists in another account"]);
    assert_eq!((ours.total(""), theirs.total("")), (1, 1));
}

#[test]
fn state_of_all_accounts_replaces_all() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    fill(&ours);
    let all = ours
        .send("GET", "/_local/state?all=true", None)
        .assert_status(200)
        .text;
    fill(&theirs);
    alert(&ours, "another");
    ours.send("PUT", "/_local/state?all=true", Some(&all))
        .assert_status(204);
    assert_eq!(theirs.total(""), 0, "it had nothing then");
    assert_eq!(ours.send("GET", "/alert", None).json()["total_count"], 1);
}

#[test]
fn state_larger_than_other_bodies_is_accepted() {
    let server = TestServer::with(|settings| settings.limits.body_bytes = 1_024);
    let account = server.account("ops");
    (0..5).for_each(|_| drop(fill(&account)));
    let state = get(&account);
    assert!(state.len() > 1_024);
    put(&account, &state);
    assert_eq!(get(&account), state);
}

#[test]
fn setting_loads_a_state_at_the_start() {
    let server = TestServer::start();
    fill(&server.account("ours"));
    let state = get(&server.account("ours"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.jsonl");
    fs::write(&path, &state).unwrap();

    let server = TestServer::with(|settings| settings.test.state = path);
    assert_eq!(get(&server.account("ours")), state);
}

#[test]
fn read_only_key_may_read_the_state_but_not_replace_it() {
    let server = TestServer::with_people();
    let state = get(&server.read_only_key());
    server
        .read_only_key()
        .send("PUT", "/_local/state", Some(&state))
        .assert_status(403);
}
