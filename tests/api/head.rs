//! `HEAD` works wherever `GET` does: the same status and headers, and no body.

use crate::{callers::id, connection::Connection, server::TestServer};

#[test]
fn head_answers_like_get_without_the_body() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let object = format!("/integration/{}", id(&created));

    for path in [
        "/integration",
        "/integration?limit=1&sort=-name",
        &object,
        &format!("{object}?select=id"),
        &format!("{object}/"),
        "/integration/int_doesnotexist1",
        "/integration?limit=0",
        "/livez",
        "/readyz",
        "/nowhere",
    ] {
        let (get, head) = (
            account.send("GET", path, None),
            account.send("HEAD", path, None),
        );

        assert_eq!(
            (head.status, head.text.as_str()),
            (get.status, ""),
            "{path}"
        );
        assert_eq!(head.header_names(), get.header_names(), "{path}");

        for name in ["content-type", "content-length", "link", "allow"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[test]
fn head_of_metrics_answers_200() {
    let server = TestServer::start();
    let head = server
        .anonymous()
        .send("HEAD", "/metrics", None)
        .assert_status(200);

    assert_eq!(
        head.header("content-type"),
        server
            .anonymous()
            .send("GET", "/metrics", None)
            .header("content-type")
    );
}

#[test]
fn head_requires_a_credential_like_get() {
    let server = TestServer::start();
    let head = server
        .anonymous()
        .send("HEAD", "/integration", None)
        .assert_status(401);
    assert_eq!(head.header("www-authenticate"), Some("Bearer"));
}

#[test]
fn head_without_get_answers_405() {
    let server = TestServer::start();
    let head = server
        .anonymous()
        .send("HEAD", "/public/login", None)
        .assert_status(405);
    assert_eq!(head.header("allow"), Some("OPTIONS, POST"));
}

#[test]
fn response_to_head_has_no_body() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    for (path, status) in [
        ("/integration", 200),
        ("/integration/int_x", 404),
        ("/nowhere", 404),
        ("/public/login", 405),
    ] {
        connection.request(&format!("HEAD {path} HTTP/1.1\nAuthorization: ops"), "");
        assert_eq!(connection.receive_head().status, status, "{path}");
        connection
            .request("GET /livez HTTP/1.1", "")
            .receive()
            .assert_status(200);
    }
}
