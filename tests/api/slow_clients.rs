//! Clients that take their time: each is told or given up in bounded time, and nobody else notices.

use crate::{connection::Connection, response::Response, server::TestServer};
use serde_json::json;
use std::{io::ErrorKind, time::Duration};

const MANY: usize = 200;

/// A byte from everybody, again and again, until everybody has an answer; in between, others are
/// served.
fn drip(server: &TestServer, mut slow: Vec<Connection>, byte: &str) -> Vec<Response> {
    let account = server.account("somebody else");
    let mut answers = Vec::new();
    while !slow.is_empty() {
        account.list("").assert_status(200);
        slow.retain_mut(|connection| {
            // Who has just been answered may have been hung up on already.
            let _too_late = connection.try_send(byte);
            let answered = connection.has_something(Duration::from_millis(1));
            answers.extend(answered.then(|| connection.receive()));
            !answered
        });
    }

    answers
}

#[test]
fn slow_heads_answer_408_while_others_are_served() {
    let server = TestServer::with(|settings| settings.limits.head_seconds = 1);
    let slow = (0..MANY).map(|_| Connection::open(&server)).collect();
    for answer in drip(&server, slow, "G") {
        answer.assert_error(408, &["The head of the request did not arrive in time"]);
    }
}

#[test]
fn slow_bodies_answer_408_while_others_are_served() {
    let server = TestServer::with(|settings| settings.limits.body_seconds = 1);
    let head = "POST /integration HTTP/1.1\nAuthorization: ops\nContent-Length: 100000";
    let slow = (0..MANY).map(|_| {
        let mut connection = Connection::open(&server);
        connection.request(head, "{");
        connection
    });
    for answer in drip(&server, slow.collect(), " ") {
        answer.assert_error(408, &["The body did not arrive within 1 seconds"]);
    }
}

#[test]
fn later_heads_have_the_same_timeout_as_the_first() {
    let server = TestServer::with(|settings| settings.limits.head_seconds = 1);
    let mut connection = Connection::open(&server);
    connection
        .request("GET /livez HTTP/1.1", "")
        .receive()
        .assert_status(200);
    connection.send("GET /livez");

    let answer = drip(&server, vec![connection], "x").remove(0);
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(
        answer.header("request-id").is_some() && answer.header("date").is_some(),
        "{answer:?}"
    );
    answer.assert_error(408, &["The head of the request did not arrive in time"]);
}

#[test]
fn client_that_reads_nothing_is_disconnected() {
    let server = TestServer::with(|settings| settings.limits.idle_seconds = 1);
    let account = server.account("ops");
    let filling = "x".repeat(100_000);

    for _ in 0..20 {
        account.created_from(
            json!({"name": "x", "type": "email", "destination_ids": [], "meta": {"x": filling}}),
        );
    }

    let mut connection = Connection::open(&server);
    let request =
        "GET /integration?limit=100 HTTP/1.1\r\nHost: x\r\nAuthorization: ops\r\n\r\n".repeat(100);

    // It reads nothing, and asks until the server takes no more and, after a while, hangs up.
    let mut asked = 0;
    let refused = loop {
        match connection.try_send(&request) {
            Ok(()) => asked += 1,
            Err(error) => break error,
        }
        assert!(asked < 10_000, "the server reads ahead without end");
    };

    assert!(
        matches!(
            refused.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
        "{refused}"
    );
    account.list("").assert_status(200);
}

#[test]
fn slow_but_steady_reader_gets_the_whole_response() {
    let server = TestServer::start();
    let account = server.account("ops");
    let filling = "x".repeat(100_000);

    for _ in 0..20 {
        account.created_from(
            json!({"name": "x", "type": "email", "destination_ids": [], "meta": {"x": filling}}),
        );
    }

    let mut connection = Connection::open(&server);
    for _ in 0..5 {
        connection.request(
            "GET /integration?limit=100 HTTP/1.1\nAuthorization: ops",
            "",
        );
    }

    account.list("").assert_status(200);
    for _ in 0..5 {
        assert_eq!(
            connection.receive().assert_status(200).json()["data"]
                .as_array()
                .unwrap()
                .len(),
            20
        );
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let body = r#"{"name":"x","type":"email","destination_ids":[]}"#;
    let create = format!(
        "POST /integration HTTP/1.1\r\nHost: x\r\nAuthorization: ops\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let total =
        "GET /integration?limit=1&select=id HTTP/1.1\r\nHost: x\r\nAuthorization: ops\r\n\r\n";
    let scan = "GET /integration?name=y HTTP/1.1\r\nHost: x\r\nAuthorization: ops\r\n\r\n";
    connection.send(format!("{create}{total}{scan}").repeat(300));

    for number in 1..=300 {
        assert_eq!(
            connection.receive().assert_status(200).json()["tinyId"],
            number
        );
        assert_eq!(
            connection.receive().assert_status(200).json()["total_count"],
            number
        );
        assert_eq!(
            connection.receive().assert_status(200).json()["total_count"],
            0
        );
    }
}
