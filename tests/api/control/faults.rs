//! `/_local/faults`.

use crate::{callers::Caller, connection::Connection, response::Response, server::TestServer};
use serde_json::{Value, json};
use std::thread;

pub(super) fn set(account: &Caller, faults: Value) {
    account
        .send("PUT", "/_local/faults", Some(&faults.to_string()))
        .assert_status(200);
}

pub(super) fn rule(account: &Caller, rule: Value) {
    set(account, json!({"rules": [rule]}));
}

/// How often each rule has matched and fired.
pub(super) fn counts(account: &Caller) -> Vec<(u64, u64)> {
    let faults = account
        .send("GET", "/_local/faults", None)
        .assert_status(200)
        .json();
    let rules = faults["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| {
            let count = |name: &str| rule[name].as_u64().unwrap();
            (count("matched"), count("fired"))
        })
        .collect()
}

fn create(account: &Caller, name: &str) -> Response {
    account
        .faulty()
        .create(json!({"name": name, "type": "email", "destination_ids": []}))
}

#[test]
fn second_create_fails_and_changes_nothing() {
    let server = TestServer::start();
    let account = server.account("ops");
    rule(
        &account,
        json!({"match": {"method": "POST", "path": "/integration", "type": "email"},
               "nth": [2], "do": {"status": 503, "retry_after": 3}}),
    );
    let statuses = ["a", "b", "c"].map(|name| create(&account, name).status);
    assert_eq!(statuses, [200, 503, 200]);
    assert_eq!(account.names(""), ["a", "c"]);
    assert_eq!(counts(&account), [(3, 1)]);
}

#[test]
fn fault_answers_with_the_status_body_and_retry_time_of_the_rule() {
    let server = TestServer::start();
    let account = server.account("ops");
    rule(&account, json!({"do": {"status": 429, "retry_after": 7}}));
    let plain = account.faulty().send("GET", "/integration", None);
    assert_eq!(plain.status, 429);
    assert_eq!(plain.header("retry-after"), Some("7"));
    assert!(plain.messages()[0].contains("(injected fault)"));

    for (body, kind, text) in [
        (json!({"oops": 1}), "application/json", r#"{"oops":1}"#),
        (json!("<html>"), "text/plain; charset=utf-8", "<html>"),
    ] {
        rule(&account, json!({"do": {"status": 502, "body": body}}));
        let found = account.faulty().send("GET", "/integration", None);
        assert_eq!(found.status, 502);
        assert_eq!(found.header("content-type"), Some(kind));
        assert_eq!(found.text, text);
    }
}

#[test]
fn first_rule_that_fires_wins_and_each_counts_all_that_match_it() {
    let server = TestServer::start();
    let account = server.account("ops");
    set(
        &account,
        json!({"rules": [
            {"match": {"method": "GET"}, "nth": [1], "do": {"status": 500}},
            {"match": {"method": "GET"}, "nth": [1, 2], "do": {"status": 501}},
            {"match": {"path": "/integration"}, "times": 1, "do": {"status": 502}},
        ]}),
    );
    let statuses = [0; 4].map(|_| account.faulty().send("GET", "/integration", None).status);
    assert_eq!(statuses, [500, 501, 502, 200]);
    assert_eq!(counts(&account), [(4, 1), (4, 1), (4, 1)]);
}

/// Which of a thousand requests fail must not depend on how many connections send them.
#[test]
fn same_seed_and_requests_have_the_same_faults() {
    let server = TestServer::start();
    let run = |account: Caller, connections: usize| -> (Vec<u16>, Vec<(u64, u64)>) {
        set(
            &account,
            json!({"seed": 7, "rules": [{"match": {"method": "GET"}, "probability": 0.3, "do": {"status": 503}}]}),
        );
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                let account = account.clone();
                thread::spawn(move || {
                    let each = 320 / connections;
                    let statuses =
                        (0..each).map(|_| account.faulty().send("GET", "/log", None).status);
                    statuses.collect::<Vec<_>>()
                })
            })
            .collect();
        let statuses = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        (statuses.collect(), counts(&account))
    };

    let (first, first_counts) = run(server.account("one"), 1);
    let (second, second_counts) = run(server.account("two"), 1);
    assert_eq!(first, second);
    let (_, parallel_counts) = run(server.account("three"), 32);
    assert_eq!(first_counts, second_counts);
    assert_eq!(first_counts, parallel_counts);
    assert!((64..128).contains(&first_counts[0].1), "{first_counts:?}");
}

#[test]
fn faults_hit_their_account_only() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    rule(&ours, json!({"do": {"status": 500}}));
    assert_eq!(ours.faulty().send("GET", "/log", None).status, 500);
    theirs.list("").assert_status(200);
    ours.send("DELETE", "/_local/faults", None)
        .assert_status(204);
    ours.list("").assert_status(200);
    assert_eq!(counts(&ours), []);
}

#[test]
fn faults_of_all_accounts_count_each_by_itself() {
    let server = TestServer::start();
    let accounts = ["one", "two"].map(|token| server.account(token));
    let faults = json!({"rules": [{"nth": [1], "do": {"status": 500}}]}).to_string();
    accounts[0]
        .send("PUT", "/_local/faults?all=true", Some(&faults))
        .assert_status(200);
    for account in &accounts {
        let statuses = [0; 2].map(|_| account.faulty().send("GET", "/log", None).status);
        assert_eq!(statuses, [500, 200]);
    }
    let described = accounts[0].send("GET", "/_local/faults?all=true", None);
    assert_eq!(described.json()["rules"][0]["matched"], 4);
    assert_eq!(described.json()["rules"][0]["fired"], 2);
}

fn raw(server: &TestServer, head: &str, body: &str) -> Connection {
    let mut connection = Connection::open(server);
    let head = format!(
        "{head} HTTP/1.1\nAuthorization: ops\nContent-Type: application/json\nContent-Length: {}",
        body.len()
    );
    connection.request(&head, body);
    connection
}

const BODY: &str = r#"{"name":"whole","type":"email","destination_ids":[]}"#;

#[test]
fn connection_closed_before_leaves_nothing() {
    let server = TestServer::start();
    let account = server.account("ops");
    rule(
        &account,
        json!({"match": {"method": "POST"}, "do": {"close": "before"}}),
    );
    assert!(raw(&server, "POST /integration", BODY).is_closed());
    assert_eq!(account.total(""), 0);
}

#[test]
fn connection_closed_after_the_commit_leaves_a_whole_object() {
    let server = TestServer::start();
    let account = server.account("ops");
    account.send("GET", "/_local/requests", None);
    rule(
        &account,
        json!({"match": {"method": "POST"}, "do": {"close": "after_commit"}}),
    );
    assert!(raw(&server, "POST /integration", BODY).is_closed());
    assert_eq!(account.names(""), ["whole"]);

    let entries = account
        .send("GET", "/_local/requests?method=POST", None)
        .json();
    let entry = &entries["data"][0];
    assert_eq!(entry["status"], Value::Null);
    assert_eq!(entry["fault"], json!({"rule": 0, "number": 1}));
    assert_eq!(entry["body"]["json"]["name"], "whole");
}

#[test]
fn connection_closed_in_the_body_breaks_off_half_way() {
    let server = TestServer::start();
    let account = server.account("ops");
    rule(
        &account,
        json!({"match": {"method": "POST"}, "do": {"close": "mid_body"}}),
    );
    let mut connection = raw(&server, "POST /integration", BODY);
    let head = connection.receive_head();
    assert_eq!(head.status, 200);
    let length: usize = head.header("content-length").unwrap().parse().unwrap();
    assert_eq!(connection.rest().len(), length / 2);
    assert_eq!(account.names(""), ["whole"]);
}

#[test]
fn busy_store_is_503_and_changes_nothing() {
    let server = TestServer::start();
    let account = server.account("ops");
    rule(
        &account,
        json!({"match": {"method": "POST"}, "do": {"store": "busy"}}),
    );
    let refused = account.create(json!({"name": "a", "type": "email", "destination_ids": []}));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.status, 503);
    assert!(refused.messages()[0].contains("Too many writes are waiting"));
    assert_eq!(account.total(""), 0);
}

#[test]
fn slow_store_shows_the_object_before_it_answers() {
    let server = TestServer::start();
    let account = server.account("ops");
    rule(
        &account,
        json!({"match": {"method": "POST"}, "do": {"store": "slow", "delay_ms": 60_000}}),
    );
    let mut connection = raw(&server, "POST /integration", BODY);
    account
        .send(
            "GET",
            "/_local/wait?for=integration&name=whole&timeout=60s",
            None,
        )
        .assert_status(200);
    assert!(!connection.has_something(std::time::Duration::from_millis(1)));
}

#[test]
fn requests_beyond_a_limit_get_429_until_its_window_is_over() {
    let server = TestServer::at(1_600_000_000_000);
    let account = server.account("ops");
    rule(
        &account,
        json!({"do": {"limit": {"requests": 2, "per_seconds": 60}}}),
    );
    let statuses = [0; 3].map(|_| account.faulty().send("GET", "/log", None).status);
    assert_eq!(statuses, [200, 200, 429]);
    server.clock.set(1_600_000_060_000);
    assert_eq!(account.faulty().send("GET", "/log", None).status, 200);
    assert_eq!(counts(&account), [(4, 1)]);
}

#[test]
fn body_decides_and_reaches_the_handler_all_the_same() {
    let server = TestServer::start();
    let account = server.account("ops");
    rule(
        &account,
        json!({"match": {"body": {"name": "bad"}}, "do": {"status": 500}}),
    );
    assert_eq!(create(&account, "bad").status, 500);
    assert_eq!(
        create(&account, "good").assert_status(200).json()["name"],
        "good"
    );
}

#[test]
fn malformed_faults_are_refused_with_place_and_reason() {
    let server = TestServer::start();
    let account = server.account("ops");
    let faults =
        json!({"rules": [{"do": {"status": 200}}, {"match": {"metod": 1}, "do": {"status": 9}}]});
    account
        .send("PUT", "/_local/faults", Some(&faults.to_string()))
        .assert_error(
            400,
            &[
                "'rules[1].match': 'metod' is not an attribute",
                "'rules[1].do.status' must be a status from 200 to 599, but was 9",
            ],
        );
    assert_eq!(counts(&account), []);
}

#[test]
fn read_only_credential_sees_faults_but_does_not_set_them() {
    let server = TestServer::with_people();
    let reader = server.read_only_key();
    assert_eq!(counts(&reader), []);
    reader
        .send("PUT", "/_local/faults", Some(r#"{"rules":[]}"#))
        .assert_error(403, &["may read the control plane"]);
}
