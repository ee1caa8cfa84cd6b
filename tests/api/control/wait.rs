//! `GET /_local/wait`.

use crate::{
    callers::{Caller, id},
    connection::Connection,
    server::TestServer,
};
use serde_json::{Value, json};
use std::thread;

const LONG_WAIT: &str = "GET /_local/wait?for=alert&timeout=600s HTTP/1.1\nAuthorization: ops";

fn source(account: &Caller) -> String {
    let source = account.created_from(json!({
        "name": "source", "type": "webhook", "destination_ids": []
    }));
    format!("/integration/{}", id(&source))
}

fn event(account: &Caller, path: &str, number: u64) {
    let body = json!({"event_type": "create", "id": number.to_string(), "title": "t"});
    account
        .send("POST", path, Some(&body.to_string()))
        .assert_status(200);
}

fn wait(account: &Caller, query: &str) -> Value {
    let path = format!("/_local/wait?{query}");
    account.send("GET", &path, None).assert_status(200).json()
}

#[test]
fn what_is_there_already_is_answered_at_once() {
    let server = TestServer::start();
    let account = server.account("ops");
    let path = source(&account);
    event(&account, &path, 1);
    let found = wait(&account, "for=alert&status=open&timeout=0");
    assert_eq!(found["total_count"], 1);
    assert_eq!(found["data"][0]["thirdparty_id"], "1");
}

#[test]
fn wait_is_answered_when_enough_match() {
    let server = TestServer::start();
    let account = server.account("ops");
    let path = source(&account);
    let waiting = {
        let account = account.clone();
        thread::spawn(move || wait(&account, "for=alert&count=3&timeout=60s"))
    };
    for number in 0..3 {
        assert!(!waiting.is_finished());
        event(&account, &path, number);
    }
    assert_eq!(waiting.join().unwrap()["total_count"], 3);
}

#[test]
fn requests_logs_integrations_and_webhooks_can_be_awaited() {
    let server = TestServer::start();
    let account = server.account("ops");
    let path = source(&account);
    let waiting: Vec<_> = [
        "for=request&method=POST&body.id=1",
        "for=log&action=create",
        "for=integration&name=hook",
        "for=webhook",
    ]
    .into_iter()
    .map(|query| {
        let account = account.clone();
        thread::spawn(move || wait(&account, &format!("{query}&timeout=60s")))
    })
    .collect();

    account.created_from(json!({
        "name": "hook", "type": "outgoingwebhook", "destination_ids": [],
        "options": {"url": "http://127.0.0.1:1/", "alert_created": true},
    }));
    // The journal begins with the wait, so the event is repeated until it is recorded.
    for number in 1.. {
        event(&account, &path, 1);
        if waiting.iter().all(thread::JoinHandle::is_finished) || number == 10_000 {
            break;
        }
    }
    for waiting in waiting {
        assert_ne!(waiting.join().unwrap()["total_count"], 0);
    }
}

#[test]
fn wait_that_is_not_met_names_near_misses() {
    let server = TestServer::start();
    let account = server.account("ops");
    event(&account, &source(&account), 1);
    let alert = account.send("GET", "/alert", None).json()["data"][0]["id"].clone();
    let near = format!(
        "alert {} matched thirdparty_id; status was \"open\", wanted \"resolved\"",
        alert.as_str().unwrap()
    );
    account
        .send(
            "GET",
            "/_local/wait?for=alert&status=resolved&thirdparty_id=1&timeout=10ms",
            None,
        )
        .assert_error(408, &["0 of 1 alerts matched within 0.01 s", &near]);

    account
        .send("GET", "/_local/wait?for=request&count=2&timeout=1ms", None)
        .assert_error(408, &["0 of 2 requests matched within 0.001 s"]);
    account.list("");
    account
        .send(
            "GET",
            "/_local/wait?for=request&method=PUT&path=/integration&timeout=1ms",
            None,
        )
        .assert_error(
            408,
            &[
                "0 of 1 requests matched",
                "GET /integration matched path; method was \"GET\", wanted \"PUT\"",
            ],
        );
}

#[test]
fn change_of_another_account_does_not_answer() {
    let server = TestServer::start();
    let (ours, theirs) = (server.account("ours"), server.account("theirs"));
    event(&theirs, &source(&theirs), 1);
    let waiting = {
        let ours = ours.clone();
        thread::spawn(move || wait(&ours, "for=alert&timeout=60s"))
    };
    for number in 2..20 {
        event(&theirs, &source(&theirs), number);
        assert!(!waiting.is_finished());
    }
    event(&ours, &source(&ours), 1);
    assert_eq!(waiting.join().unwrap()["total_count"], 1);
}

#[test]
fn malformed_wait_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (query, part) in [
        ("", "'for' is required; it must be one of alert"),
        ("for=mail", "'for' must be one of alert"),
        ("for=alert&count=0", "'count' must be a whole number"),
        ("for=alert&timeout=soon", "'timeout' must be a duration"),
        ("for=alert&timeout=1h", "'timeout' must be from 0 to 600"),
        ("for=alert&timeout=-1", "'timeout' must be from 0 to 600"),
        ("for=alert&for=log", "'for' must be given only once"),
        ("for=alert&colour=red", "'colour' is not an attribute"),
        ("for=alert&all=true", "needs the credential of one account"),
    ] {
        account
            .send("GET", &format!("/_local/wait?{query}"), None)
            .assert_error(400, &[part]);
    }
}

#[test]
fn shutdown_ends_a_wait() {
    let mut server = TestServer::start();
    let account = server.account("ops");
    account.send("GET", "/_local/requests", None);
    let mut connection = Connection::open(&server);
    connection.request(LONG_WAIT, "");
    // The server has read the head when it answers another request on the same thread later.
    account.list("");
    let stopping = server.ask_to_stop();
    assert_eq!(connection.receive().status, 503);
    stopping.join().unwrap();
}

#[test]
fn client_that_leaves_frees_its_wait() {
    let server = TestServer::start();
    let account = server.account("ops");
    let connections = || {
        let metrics = account.send("GET", "/metrics", None).text;
        let line = metrics
            .lines()
            .find(|line| line.starts_with("pagertree_local_http_connections"))
            .unwrap()
            .to_owned();
        line.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = connections();
    let mut connection = Connection::open(&server);
    connection.request(LONG_WAIT, "");
    while connections() == before {
        thread::yield_now();
    }
    drop(connection);
    while connections() != before {
        thread::yield_now();
    }
}
