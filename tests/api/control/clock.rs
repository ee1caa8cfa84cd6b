//! `/_local/clock`: the time of an account, and everything that follows it.

use crate::{
    callers::{Caller, id},
    receiver::{Receiver, alert, log_outcomes, logs, sender},
    server::TestServer,
};
use serde_json::{Value, json};
use std::thread;

const NOON: &str = "2026-01-01T12:00:00.000Z";

fn put(account: &Caller, change: Value) -> Value {
    account
        .send("PUT", "/_local/clock", Some(&change.to_string()))
        .assert_status(200)
        .json()
}

fn stop_at_noon(account: &Caller) {
    put(account, json!({"now": NOON, "rate": 0}));
}

fn get(account: &Caller) -> Value {
    account
        .send("GET", "/_local/clock", None)
        .assert_status(200)
        .json()
}

#[test]
fn clock_is_that_of_the_system_until_it_is_moved() {
    let server = TestServer::at(1_524_787_370_419);
    let account = server.account("ops");
    let real = json!({"now": "2018-04-27T00:02:50.419Z", "rate": 1, "adjusted": false});
    assert_eq!(get(&account), real);

    stop_at_noon(&account);
    let moved = json!({"now": NOON, "rate": 0, "adjusted": true});
    assert_eq!(get(&account), moved);
    let advanced = put(&account, json!({"advance": "36h"}));
    assert_eq!(
        advanced,
        json!({"now": "2026-01-03T00:00:00.000Z", "rate": 0, "adjusted": true})
    );

    account
        .send("DELETE", "/_local/clock", None)
        .assert_status(204);
    assert_eq!(get(&account), real);
}

#[test]
fn moved_clock_runs_at_its_rate() {
    let server = TestServer::at(0);
    let account = server.account("ops");
    put(&account, json!({"now": NOON, "rate": 60}));
    server.clock.set(1_500);
    assert_eq!(get(&account)["now"], "2026-01-01T12:01:30.000Z");
    put(&account, json!({"rate": 0.5}));
    server.clock.set(3_500);
    assert_eq!(get(&account)["now"], "2026-01-01T12:01:31.000Z");
}

#[test]
fn objects_have_the_time_of_their_account() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    stop_at_noon(&ours);
    let created = ours.created("x");
    assert_eq!(
        (&created["createdAt"], &created["updatedAt"]),
        (&json!(NOON), &json!(NOON))
    );
    put(&ours, json!({"advance": "1h"}));
    let updated = ours.update(id(&created), json!({"name": "y"})).json();
    assert_eq!(updated["updatedAt"], "2026-01-01T13:00:00.000Z");

    assert_eq!(alert(&ours, "t")["createdAt"], "2026-01-01T13:00:00.000Z");
    let source = ours.created_from(json!({"name": "w", "type": "webhook", "destination_ids": []}));
    let event = json!({"event_type": "create", "id": "1", "title": "t"}).to_string();
    ours.send(
        "POST",
        &format!("/integration/{}", id(&source)),
        Some(&event),
    )
    .assert_status(200);
    let log = ours.send("GET", "/log", None).json()["data"][0].clone();
    assert_eq!(log["createdAt"], "2026-01-01T13:00:00.000Z");

    assert!(theirs.created("x")["createdAt"].as_str() > Some("2026-02"));
}

#[test]
fn clock_of_all_accounts_is_moved_with_all() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    put(&ours, json!({"now": "2020-01-01T00:00:00Z"}));
    ours.send(
        "PUT",
        "/_local/clock?all=true",
        Some(&json!({"now": NOON, "rate": 0}).to_string()),
    )
    .assert_status(200);
    for account in [&ours, &theirs] {
        assert_eq!(account.created("x")["createdAt"], NOON);
    }
}

#[test]
fn token_expires_by_the_moved_clock() {
    let server = TestServer::start();
    let body = json!({"username": "alice", "password": "x"}).to_string();
    let login = server
        .anonymous()
        .send("POST", "/public/login", Some(&body))
        .assert_status(200)
        .json();
    let user = server.account(login["token"].as_str().unwrap());
    user.list("").assert_status(200);
    put(&user, json!({"advance": "25h"}));
    user.list("").assert_error(401, &["The token has expired"]);
}

#[test]
fn idempotency_key_expires_by_the_moved_clock() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    let create = |account: &Caller, name: &str| {
        account
            .with("Idempotency-Key", "k")
            .create(json!({"name": name, "type": "email", "destination_ids": []}))
            .status
    };
    for account in [&ours, &theirs] {
        assert_eq!((create(account, "a"), create(account, "b")), (200, 409));
    }
    put(&ours, json!({"advance": "24h"}));
    assert_eq!(create(&ours, "b"), 200);
    assert_eq!(create(&theirs, "b"), 409, "no day has passed for others");
}

#[test]
fn rate_limit_follows_the_moved_clock() {
    let server = TestServer::with(|settings| settings.limits.requests_per_minute = 2);
    let account = server.account("ops");
    let statuses = || [0; 3].map(|_| account.list("").status);
    stop_at_noon(&account);
    assert_eq!(statuses(), [200, 200, 429]);
    put(&account, json!({"advance": "30s"}));
    assert_eq!(statuses(), [200, 429, 429]);
    put(&account, json!({"advance": "1m"}));
    assert_eq!(statuses(), [200, 200, 429]);
}

#[test]
fn retention_follows_the_moved_clock_at_once() {
    // The next sweep by itself would be in a day.
    let server = TestServer::with(|settings| settings.retention.sweep_seconds = 86_400);
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    let total = |account: &Caller| account.send("GET", "/log", None).json()["total_count"].clone();
    for account in [&ours, &theirs] {
        let source =
            account.created_from(json!({"name": "w", "type": "webhook", "destination_ids": []}));
        account
            .send("POST", &format!("/integration/{}", id(&source)), Some("{}"))
            .assert_status(200);
        assert_eq!(total(account), 1);
    }

    put(&ours, json!({"advance": "31d"}));
    while total(&ours) != 0 {
        thread::yield_now();
    }
    assert_eq!(total(&theirs), 1);
}

#[test]
fn webhook_is_retried_by_the_moved_clock_at_once() {
    let server = TestServer::with(|settings| settings.outgoing.first_retry_seconds = 3_600);
    let account = server.account("ops");
    let receiver = Receiver::answering(&[500, 200]);
    sender(&account, json!({"url": receiver.url()}));
    alert(&account, "t");
    let first = receiver.next();
    logs(&account, 1);

    put(&account, json!({"advance": "2h"}));
    assert_eq!(receiver.next().body, first.body);
    logs(&account, 2);
    let outcomes = log_outcomes(&account).join("\n");
    assert!(outcomes.contains("delivered on attempt 2"), "{outcomes}");
}

#[test]
fn malformed_change_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (body, part) in [
        (json!({}), "One of 'now', 'advance' and 'rate' is required"),
        (json!({"now": "noon"}), "must be a time like"),
        (json!({"advance": "soon"}), "must be a duration like"),
        (json!({"rate": -1}), "must be a number from 0"),
        (json!({"time": 1}), "'time' is not a known parameter"),
        (
            json!({"now": NOON, "advance": "1h"}),
            "'now' and 'advance' exclude each other",
        ),
    ] {
        account
            .send("PUT", "/_local/clock", Some(&body.to_string()))
            .assert_error(400, &[part]);
    }
    assert_eq!(get(&account)["adjusted"], false);
}

#[test]
fn setting_moves_the_clock_from_the_start() {
    let server = TestServer::with(|settings| settings.test.clock = format!("{NOON}@0"));
    let account = server.account("ops");
    assert_eq!(account.created("x")["createdAt"], NOON);
    put(&account, json!({"advance": "1h"}));
    account
        .send("DELETE", "/_local/clock", None)
        .assert_status(204);
    assert_eq!(get(&account)["now"], NOON, "that of the start");
}
