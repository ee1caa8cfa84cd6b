//! The table of statuses: one error body for all of them. Credentials, bodies and routes have files
//! of their own.

use crate::{connection::Connection, server::TestServer};
use serde_json::json;

#[test]
fn excess_requests_answer_429_with_retry_after() {
    let server = TestServer::with(|settings| settings.limits.requests_per_minute = 1);
    server.account("a").list("").assert_status(200);
    let refused = server
        .account("a")
        .list("")
        .assert_error(429, &["Too many requests of this account: at most 1"]);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    server.account("b").list("").assert_status(200);
}

#[test]
fn rate_limited_request_changes_nothing() {
    let server = TestServer::with(|settings| settings.limits.requests_per_minute = 2);
    server.account("a").created("x");
    assert_eq!(server.account("a").total(""), 1);
    let body = json!({"name": "y", "type": "email", "destination_ids": []});
    server.account("a").create(body).assert_status(429);
    server.account("b").created("x");
}

#[test]
fn health_checks_are_not_rate_limited() {
    let server = TestServer::with(|settings| settings.limits.requests_per_minute = 1);
    for _ in 0..5 {
        server
            .anonymous()
            .send("GET", "/readyz", None)
            .assert_status(200);
    }
}

#[test]
fn stopping_server_finishes_requests_and_refuses_new_ones() {
    let mut server = TestServer::start();
    let mut connection = Connection::open(&server);
    let body = r#"{"name":"x","type":"email","destination_ids":[]}"#;
    let head = format!(
        "POST /integration HTTP/1.1\nAuthorization: ops\nContent-Length: {}",
        body.len()
    );

    connection.request(&head, &body[..10]);
    // There is one worker thread, so an answer on another connection tells that the bytes above
    // were read.
    server.account("another").list("").assert_status(200);
    server.account("another").list("").assert_status(200);

    let stopped = server.ask_to_stop();
    while std::net::TcpStream::connect(server.address).is_ok() {
        std::thread::yield_now();
    }

    connection.send(&body[10..]).receive().assert_status(200);
    assert!(connection.is_closed());
    stopped.join().unwrap();
}

#[test]
fn every_error_has_body_type_and_request_id() {
    let server = TestServer::with(|settings| settings.limits.body_bytes = 50);
    let account = server.account("ops");
    let long = format!("/integration?name={}", "x".repeat(9_000));
    let big = format!(r#"{{"name":"{}"}}"#, "x".repeat(60));

    for (status, answer) in [
        (400, account.send("POST", "/integration", Some("{"))),
        (401, server.anonymous().list("")),
        (404, account.get("int_doesnotexist1")),
        (404, account.send("GET", "/nowhere", None)),
        (405, account.send("PATCH", "/integration", None)),
        (413, account.send("POST", "/integration", Some(&big))),
        (414, account.send("GET", &long, None)),
        (
            415,
            account
                .with("Content-Type", "text/plain")
                .send("POST", "/integration", Some("{}")),
        ),
    ] {
        let answer = answer.assert_error(status, &[""]);
        assert!(answer.header("request-id").is_some(), "{answer:?}");
        assert_eq!(
            answer.header("content-length"),
            Some(answer.text.len().to_string().as_str())
        );
    }
}

#[test]
fn malformed_http_answers_400_with_an_error_body() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let answer = connection
        .send("GET /integration HTTP/1.1\r\nno colon here\r\n\r\n")
        .receive();
    assert_eq!(answer.status, 400);
    let answer = answer.assert_error(400, &[""]);
    assert!(answer.header("request-id").is_some());
}
