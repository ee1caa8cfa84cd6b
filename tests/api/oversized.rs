//! Heads and bodies without measure: refused with the error body, and not read for ever.

use crate::{connection::Connection, server::TestServer};
use std::io::ErrorKind;

const CHUNKED: &str = "POST /integration HTTP/1.1\nAuthorization: ops\nTransfer-Encoding: chunked";

/// Sends without end, whatever the server says, until it hangs up; what it had said by then.
fn send_without_end(mut connection: Connection, bytes: &str) -> crate::response::Response {
    let refused = loop {
        if let Err(error) = connection.try_send(bytes) {
            break error.kind();
        }
    };
    assert!(
        matches!(refused, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
        "{refused}"
    );
    connection.receive()
}

fn chunk() -> String {
    format!("2000\r\n{}\r\n", " ".repeat(0x2000))
}

#[test]
fn endless_chunked_body_answers_413_and_closes() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    connection.request(CHUNKED, "");
    let answer = send_without_end(connection, &chunk());
    assert_eq!(answer.header("connection"), Some("close"));
    answer.assert_error(413, &["at most 1048576 bytes"]);
}

#[test]
fn announced_oversized_body_answers_413_and_closes() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    connection.request(
        "POST /integration HTTP/1.1\nAuthorization: ops\nContent-Length: 99999999999",
        "",
    );
    let answer = send_without_end(connection, &" ".repeat(0x2000));
    assert_eq!(answer.header("connection"), Some("close"));
    answer.assert_error(413, &["at most 1048576 bytes"]);
}

#[test]
fn discarded_body_is_read_only_up_to_a_limit() {
    // Not to be hung up on by the limit of another thing.
    let server = TestServer::with(|settings| settings.limits.head_seconds = 3_600);
    for (head, status) in [
        ("POST /integration HTTP/1.1", 401),
        ("POST /nowhere HTTP/1.1", 404),
        ("PATCH /integration HTTP/1.1", 405),
        ("GET /livez HTTP/1.1", 200),
    ] {
        let mut connection = Connection::open(&server);
        connection.request(&format!("{head}\nTransfer-Encoding: chunked"), "");
        let answer = send_without_end(connection, &chunk()).assert_status(status);
        assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
    }
}

/// As nginx does that has buffered the body. What is sent after the answer must not reset the
/// connection.
#[test]
fn client_that_sends_before_reading_gets_its_413() {
    let server = TestServer::start();
    for length in [(1 << 20) + (1 << 19), 20_000_000] {
        let mut connection = Connection::open(&server);
        let head =
            format!("POST /integration HTTP/1.1\nAuthorization: ops\nContent-Length: {length}");
        connection
            .request(&head, " ".repeat(length))
            .receive()
            .assert_error(413, &["at most 1048576 bytes"]);
        assert!(connection.is_closed());
    }
}

#[test]
fn url_beyond_the_library_limit_answers_414() {
    let server = TestServer::start();
    for length in [70_000, 200_000] {
        let mut connection = Connection::open(&server);
        let answer = connection
            .request(
                &format!("GET /integration?name={} HTTP/1.1", "x".repeat(length)),
                "",
            )
            .receive();
        assert!(answer.header("request-id").is_some());
        answer.assert_error(414, &["The path and query may have at most 8192 bytes"]);
        assert!(connection.is_closed());
    }
}

#[test]
fn pipelined_overlong_url_answers_414() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    connection
        .request("GET /livez HTTP/1.1", "")
        .receive()
        .assert_status(200);
    let long = format!("GET /integration?name={} HTTP/1.1", "x".repeat(70_000));
    connection
        .request(&long, "")
        .receive()
        .assert_error(414, &["at most 8192 bytes"]);
}

#[test]
fn oversized_head_answers_431() {
    let server = TestServer::start();
    let long = format!("GET /livez HTTP/1.1\nX-Filling: {}", "x".repeat(200_000));
    let many = format!("GET /livez HTTP/1.1\n{}", "X-Filling: x\n".repeat(200));
    for head in [long, many] {
        let mut connection = Connection::open(&server);
        let answer = connection.request(&head, "").receive();
        assert!(answer.header("request-id").is_some());
        answer.assert_error(431, &["The head of the request is too large"]);
        assert!(connection.is_closed());
    }
}

#[test]
fn endless_head_is_closed() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    connection.send("GET /livez HTTP/1.1\r\n");
    send_without_end(connection, &format!("X-Filling: {}\r\n", "x".repeat(4_000)))
        .assert_error(431, &["The head of the request is too large"]);
}
