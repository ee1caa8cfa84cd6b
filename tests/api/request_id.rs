//! `Request-Id`: on every answer; the client's own if it sent a usable one. Log lines are in
//! `tests/program`.

use crate::{connection::Connection, server::TestServer};

#[test]
fn every_response_has_a_request_id() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let object = format!("/integration/{}", crate::callers::id(&created));

    for (method, path, body) in [
        ("GET", "/integration", None),
        ("GET", object.as_str(), None),
        ("PUT", object.as_str(), Some("{}")),
        ("DELETE", object.as_str(), None),
        ("GET", object.as_str(), None),
        ("PATCH", object.as_str(), None),
        ("OPTIONS", "/integration", None),
        ("HEAD", "/integration", None),
        ("POST", "/integration", Some("{")),
        (
            "POST",
            "/public/login",
            Some(r#"{"username":"a","password":"b"}"#),
        ),
        ("GET", "/nowhere", None),
        ("GET", "/livez", None),
        ("GET", "/readyz", None),
        ("GET", "/metrics", None),
    ] {
        let answer = account.send(method, path, body);
        assert_eq!(
            answer.headers.get_all("request-id").iter().count(),
            1,
            "{method} {path}"
        );
        assert!(
            answer.header("request-id").unwrap().starts_with("req_"),
            "{method} {path}"
        );
    }
}

#[test]
fn request_ids_are_unique() {
    let server = TestServer::start();
    let account = server.account("ops");
    let mut ids: Vec<_> = (0..50)
        .map(|_| account.list("").header("request-id").unwrap().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
}

#[test]
fn request_id_of_the_client_is_used() {
    let server = TestServer::start();
    for own in [
        "a",
        "7b1c-42",
        "with spaces and ~!@#$%^&*()",
        &"x".repeat(64),
    ] {
        let caller = server.account("ops").with("X-Request-Id", own);
        assert_eq!(caller.list("").header("request-id"), Some(own));
        assert_eq!(
            caller.send("GET", "/nowhere", None).header("request-id"),
            Some(own)
        );
    }
}

#[test]
fn overlong_or_empty_request_id_is_replaced() {
    let server = TestServer::start();
    for own in ["", &"x".repeat(65)] {
        let answer = server.account("ops").with("X-Request-Id", own).list("");
        assert!(
            answer.header("request-id").unwrap().starts_with("req_"),
            "{own:?}"
        );
    }
}

#[test]
fn unprintable_request_id_is_replaced() {
    let server = TestServer::start();
    for own in [b"a\tb".as_slice(), b"\xc3\xbc", b"a\x80"] {
        let mut connection = Connection::open(&server);
        connection
            .send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ")
            .send(own)
            .send(b"\r\n\r\n");
        let answer = connection.receive();
        assert!(
            answer.header("request-id").unwrap().starts_with("req_"),
            "{own:?}: {answer:?}"
        );
    }
}

#[test]
fn request_id_cannot_inject_headers() {
    let server = TestServer::start();
    for own in [
        "content-length: 0",
        "HTTP/1.1 404 content-length: 0",
        "HTTP/1.1 404 Not Found",
    ] {
        let created = server.account("ops").created("x");
        let object = format!("/integration/{}", crate::callers::id(&created));
        let mut connection = Connection::open(&server);

        for (request, status) in [
            ("HEAD /nope".to_owned(), 404),
            (format!("HEAD {object}"), 200),
            (format!("DELETE {object}"), 204),
            ("OPTIONS /integration".to_owned(), 204),
        ] {
            connection.request(
                &format!("{request} HTTP/1.1\nAuthorization: ops\nX-Request-Id: {own}"),
                "",
            );

            let answer = if request.starts_with("HEAD") {
                connection.receive_head()
            } else {
                connection.receive()
            };

            assert_eq!(
                (answer.status, answer.header("request-id")),
                (status, Some(own)),
                "{request}: {answer:?}"
            );

            let next = connection
                .request("GET /livez HTTP/1.1", "")
                .receive()
                .assert_status(200);

            assert_eq!(next.text, r#"{"status":"ok"}"#, "{request}");
        }
    }
}
