//! `/_local/seed` and `--seed`: two runs of one script answer the same bytes.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::{Value, json};

/// Requests of many kinds, and everything that the answers have in common from run to run: status,
/// request id and body.
fn run_script(account: &Caller, anonymous: &Caller) -> Vec<String> {
    let mut answers = Vec::new();
    let mut note = |answer: Response| {
        let request_id = answer.header("request-id").unwrap_or("none").to_owned();
        answers.push(format!("{} {request_id} {}", answer.status, answer.text));
        answer
    };

    let integration = json!({"name": "w", "type": "webhook", "destination_ids": []}).to_string();
    let created = note(account.send("POST", "/integration", Some(&integration))).json();
    note(account.send("POST", "/integration", Some("{}")));
    let event_path = format!("/integration/{}", id(&created));
    for event in [
        json!({"event_type": "create", "title": "without an id"}),
        json!({"event_type": "create", "id": "1", "title": "t"}),
        json!({"event_type": "resolve", "id": "1"}),
    ] {
        note(anonymous.send("POST", &event_path, Some(&event.to_string())));
    }

    let alert = json!({"title": "t", "destination_ids": []}).to_string();
    let opened = note(account.send("POST", "/alert", Some(&alert))).json();
    note(account.send("POST", &format!("/alert/{}/resolve", id(&opened)), None));
    note(account.send("PUT", "/_local/clock", Some(r#"{"advance": "1h"}"#)));
    note(account.send("DELETE", &format!("/alert/{}", id(&opened)), None));
    for path in [
        "/integration",
        "/alert",
        "/log",
        "/_local/state",
        "/alert/x",
    ] {
        note(account.send("GET", path, None));
    }
    answers
}

/// Logs show the header `Host`, and each server of these tests has a port of its own.
fn without_address(server: &TestServer, answers: Vec<String>) -> Vec<String> {
    let address = server.address.to_string();
    answers
        .into_iter()
        .map(|answer| answer.replace(&address, "<address>"))
        .collect()
}

fn put(account: &Caller, path: &str, body: Value) {
    account
        .send("PUT", path, Some(&body.to_string()))
        .assert_status(200);
}

fn stop_clock(account: &Caller) {
    let noon = json!({"now": "2026-01-01T12:00:00Z", "rate": 0});
    put(account, "/_local/clock", noon);
}

#[test]
fn seeded_account_answers_the_same_bytes_in_every_run() {
    let run = |seed: u64, noise: usize| {
        let server = TestServer::start();
        let account = server.account("ops");
        // What others do has no influence.
        (0..noise).for_each(|_| drop(server.account("noise").created("x")));
        stop_clock(&account);
        put(&account, "/_local/seed", json!({"seed": seed}));
        without_address(&server, run_script(&account, &server.anonymous()))
    };
    let first = run(7, 0);
    assert_eq!(first, run(7, 3));
    assert_ne!(first[0], run(8, 0)[0]);
}

#[test]
fn seeded_server_answers_the_same_bytes_in_every_run() {
    let run = || {
        let server = TestServer::with(|settings| {
            settings.test.seed = "7".into();
            settings.test.clock = "2026-01-01T12:00:00Z@0".into();
        });
        let login = json!({"username": "alice", "password": "x"}).to_string();
        let login = server
            .anonymous()
            .send("POST", "/public/login", Some(&login));
        let token = login.json()["token"].as_str().unwrap().to_owned();
        let mut answers = run_script(&server.account(&token), &server.anonymous());
        answers.push(format!("{:?} {}", login.header("request-id"), login.text));
        without_address(&server, answers)
    };
    assert_eq!(run(), run());
}

#[test]
fn reset_repeats_the_ids_of_a_seeded_account() {
    let server = TestServer::start();
    let account = server.account("ops");
    stop_clock(&account);
    put(&account, "/_local/seed", json!({"seed": 7}));
    let run = || {
        account
            .send("POST", "/_local/reset", None)
            .assert_status(204);
        stop_clock(&account);
        run_script(&account, &server.anonymous())
    };
    assert_eq!(run(), run());
}

#[test]
fn id_that_is_taken_is_not_used_again() {
    let server = TestServer::start();
    let account = server.account("ops");
    put(&account, "/_local/seed", json!({"seed": 7}));
    let first = account.created("a");
    // The same number again, with the object of that number still there under another one.
    let state = account.send("GET", "/_local/state", None).text;
    let state = state
        .replace(r#""tinyId":1"#, r#""tinyId":2"#)
        .replace(r#""lastTinyId":1"#, r#""lastTinyId":2"#);
    account
        .send("PUT", "/_local/state", Some(&state))
        .assert_status(204);
    let ids: Vec<_> = (0..3).map(|_| account.created("b")["id"].clone()).collect();
    assert!(!ids.contains(&first["id"]), "{ids:?}");
}

#[test]
fn seed_is_read_and_cleared() {
    let server = TestServer::start();
    let account = server.account("ops");
    let get = || account.send("GET", "/_local/seed", None).json();
    assert_eq!(get(), json!({"seed": null}));
    put(&account, "/_local/seed", json!({"seed": 7}));
    assert_eq!(get(), json!({"seed": 7}));
    account
        .send("DELETE", "/_local/seed", None)
        .assert_status(204);
    assert_eq!(get(), json!({"seed": null}));
    for body in [json!({}), json!({"seed": -1}), json!({"seed": "x"})] {
        account
            .send("PUT", "/_local/seed", Some(&body.to_string()))
            .assert_error(400, &["'seed'"]);
    }
}
