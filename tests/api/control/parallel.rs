//! A hundred accounts at once: what one does with its data, its time and its ids has no effect on
//! another.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::json;
use std::thread;

const ACCOUNTS: usize = 100;
const ROUNDS: usize = 3;

fn send(account: &Caller, method: &str, path: &str, body: Option<&str>) {
    let answer = account.send(method, path, body);
    assert!(matches!(answer.status, 200 | 204), "{path}: {answer:?}");
}

/// Resets, fills, snapshots, spoils and restores an account, and checks all that it sees.
fn live(account: &Caller, number: usize) -> Vec<String> {
    let year = 2000 + number;
    let noon = json!({"now": format!("{year}-01-01T12:00:00Z"), "rate": 0}).to_string();
    send(account, "POST", "/_local/reset", None);
    send(account, "PUT", "/_local/clock", Some(&noon));
    send(
        account,
        "PUT",
        "/_local/seed",
        Some(&json!({"seed": number}).to_string()),
    );
    assert_eq!(account.total(""), 0);

    let mut ids = Vec::new();
    for tiny_id in 1..=3 {
        let created = account.created(&format!("of {number}"));
        assert_eq!(created["tinyId"], tiny_id, "{created}");
        assert_eq!(created["createdAt"], format!("{year}-01-01T12:00:00.000Z"));
        ids.push(id(&created).to_owned());
    }

    send(account, "PUT", "/_local/snapshots/three", None);
    let state = account.send("GET", "/_local/state", None).text;
    account.delete(&ids[0]).assert_status(204);
    send(
        account,
        "PUT",
        "/_local/clock",
        Some(r#"{"advance": "1h"}"#),
    );
    let later = account.created("later");
    assert_eq!(later["createdAt"], format!("{year}-01-01T13:00:00.000Z"));

    let diff = account.send("GET", "/_local/diff?from=three", None).json();
    assert_eq!(diff["data"].as_array().unwrap().len(), 2, "{diff:#}");
    send(account, "POST", "/_local/snapshots/three/restore", None);
    assert_eq!(account.send("GET", "/_local/state", None).text, state);
    assert_eq!(account.names(""), vec![format!("of {number}"); 3]);
    ids
}

#[test]
fn accounts_that_are_steered_at_once_do_not_affect_each_other() {
    let server = TestServer::with(|settings| settings.workers = 2);
    let run = |number: usize| {
        let account = server.account(&format!("account {number}"));
        let first = live(&account, number);
        for _ in 1..ROUNDS {
            assert_eq!(live(&account, number), first, "the same seed, the same ids");
        }
    };
    thread::scope(|scope| {
        for number in 0..ACCOUNTS {
            let run = &run;
            scope.spawn(move || run(number));
        }
    });
}

/// Journals, faults and waits of an account.
fn steer(account: &Caller, number: usize) {
    let name = format!("of {number}");
    let failing = number % 5 + 1;
    send(account, "DELETE", "/_local/requests", None);
    let faults = json!({"rules": [{
        "match": {"method": "POST", "path": "/integration"}, "nth": [failing], "do": {"status": 503},
    }]});
    send(account, "PUT", "/_local/faults", Some(&faults.to_string()));

    let body = json!({"name": name, "type": "email", "destination_ids": []});
    let statuses: Vec<u16> = (0..5)
        .map(|_| account.faulty().create(body.clone()).status)
        .collect();
    let expected: Vec<u16> = (1..=5)
        .map(|attempt| if attempt == failing { 503 } else { 200 })
        .collect();
    assert_eq!(statuses, expected);
    assert_eq!(account.names(""), vec![name.clone(); 4]);

    let verification = json!({"match": {"body": {"name": name}}, "count": 5}).to_string();
    send(account, "POST", "/_local/verify", Some(&verification));
    let requests = account.send("GET", "/_local/requests?method=POST", None);
    assert_eq!(requests.json()["total_count"], 5);

    let waiting = thread::spawn({
        let account = account.clone();
        move || account.send("GET", "/_local/wait?for=alert&timeout=60s", None)
    });
    let alert = json!({"title": name, "destination_ids": []}).to_string();
    send(account, "POST", "/alert", Some(&alert));
    let found = waiting.join().unwrap().assert_status(200).json();
    assert_eq!(found["total_count"], 1);
    assert_eq!(found["data"][0]["title"], name);
}

#[test]
fn accounts_that_record_fail_and_wait_at_once_do_not_affect_each_other() {
    let server = TestServer::with(|settings| settings.workers = 2);
    thread::scope(|scope| {
        for number in 0..ACCOUNTS {
            let server = &server;
            scope.spawn(move || steer(&server.account(&format!("account {number}")), number));
        }
    });
}
