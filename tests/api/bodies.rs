//! Reading a body: JSON, an object, of bounded size, sent as JSON.

use crate::{connection::Connection, server::TestServer};
use serde_json::json;

const HEAD: &str = "POST /integration HTTP/1.1\nAuthorization: ops\nContent-Type: application/json";

#[test]
fn malformed_json_is_refused_with_line_and_column() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (body, place) in [
        ("{\n  \"name\": oops\n}", "line 2 column 11"),
        ("{\"name\": \"x\",}", "line 1 column 14"),
        ("{", "line 1 column 1"),
        ("{} {}", "line 1 column 4"),
        ("{\"name\": \"\\ud800\"}", "line 1 column"),
        ("nul", "line 1 column 3"),
    ] {
        account
            .send("POST", "/integration", Some(body))
            .assert_error(400, &[place]);
        account
            .send("PUT", "/integration/int_x", Some(body))
            .assert_error(400, &[place]);
    }
}

#[test]
fn body_that_is_not_utf8_is_refused() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let answer = connection
        .request(
            &format!("{HEAD}\nContent-Length: 12"),
            b"{\"name\":\"\xff\"}",
        )
        .receive();
    answer.assert_error(400, &["The body is not valid JSON"]);
}

#[test]
fn json_that_is_not_an_object_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (body, kind) in [
        ("[]", "an array"),
        ("\"x\"", "a string"),
        ("1", "a number"),
        ("null", "null"),
        ("true", "a boolean"),
    ] {
        let expected = format!("The body must be a JSON object, but is {kind}");
        account
            .send("POST", "/integration", Some(body))
            .assert_error(400, &[&expected]);
        account
            .send("PUT", "/integration/int_x", Some(body))
            .assert_error(400, &[&expected]);
    }
}

#[test]
fn empty_body_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    for body in [None, Some(""), Some(" \n")] {
        account
            .send("POST", "/integration", body)
            .assert_error(400, &["The body must be a JSON object, but is empty"]);
    }
}

#[test]
fn deeply_nested_json_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    let deep = format!(r#"{{"meta":{}"#, "[".repeat(400_000));
    account
        .send("POST", "/integration", Some(&deep))
        .assert_error(400, &["line 1 column"]);
    account.created("x");
}

#[test]
fn white_space_around_the_object_is_accepted() {
    let server = TestServer::start();
    let body = "\r\n\t {\"name\":\"x\",\"type\":\"email\",\"destination_ids\":[]}\n ";
    server
        .account("ops")
        .send("POST", "/integration", Some(body))
        .assert_status(200);
}

#[test]
fn body_one_byte_over_the_limit_is_refused() {
    let body = r#"{"name":"x","type":"email","destination_ids":[]}"#;
    let server = TestServer::with(|settings| settings.limits.body_bytes = body.len());
    let account = server.account("ops");
    account
        .send("POST", "/integration", Some(body))
        .assert_status(200);
    let expected = format!("The body may have at most {} bytes", body.len());
    account
        .send("POST", "/integration", Some(&format!("{body} ")))
        .assert_error(413, &[&expected]);
    assert_eq!(account.total(""), 1);
}

#[test]
fn default_body_limit_is_one_mebibyte() {
    let server = TestServer::start();
    let account = server.account("ops");
    let around = json!({"name": "x", "type": "email", "destination_ids": [], "meta": {"m": ""}})
        .to_string()
        .len();
    let filled = "x".repeat((1 << 20) - around);
    let created = account.created_from(
        json!({"name": "x", "type": "email", "destination_ids": [], "meta": {"m": filled}}),
    );
    assert_eq!(created["meta"]["m"].as_str().unwrap().len(), filled.len());
    let mut connection = Connection::open(&server);
    let answer = connection
        .request(&format!("{HEAD}\nContent-Length: {}", (1 << 20) + 1), "")
        .receive();
    answer.assert_error(413, &["at most 1048576 bytes"]);
}

#[test]
fn announced_length_over_the_limit_is_refused_before_the_body() {
    let server = TestServer::with(|settings| settings.limits.body_bytes = 100);
    let mut connection = Connection::open(&server);
    let answer = connection
        .request(&format!("{HEAD}\nContent-Length: 99999999999"), "")
        .receive();
    answer.assert_error(413, &["at most 100 bytes"]);
    assert!(
        connection.is_closed(),
        "what is not read must not be taken for a request"
    );
}

#[test]
fn chunked_body_over_the_limit_is_refused_midway() {
    let server = TestServer::with(|settings| settings.limits.body_bytes = 100);
    let mut connection = Connection::open(&server);
    let chunk = format!("40\r\n{}\r\n", " ".repeat(64));

    connection.request(
        &format!("{HEAD}\nTransfer-Encoding: chunked"),
        format!("{chunk}{chunk}"),
    );

    let answer = connection
        .receive()
        .assert_error(413, &["at most 100 bytes"]);

    assert_eq!(answer.header("connection"), Some("close"));
    // What comes behind the body is for nobody.
    connection
        .send("0\r\n\r\n")
        .request("GET /livez HTTP/1.1", "");
    assert!(connection.is_closed());
}

#[test]
fn chunked_body_within_the_limit_is_accepted() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let chunks = [
        "{\"name\":\"x\",",
        "\"type\":\"email\",\"destination_ids\":[]}",
        "",
    ]
    .map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len()))
    .concat();
    connection.request(&format!("{HEAD}\nTransfer-Encoding: chunked"), chunks);
    connection.receive().assert_status(200);
}

#[test]
fn body_with_another_content_type_answers_415() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = r#"{"name":"x","type":"email","destination_ids":[]}"#;

    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "x",
        "application/json; charset=latin1",
    ] {
        let caller = account.with("Content-Type", kind);
        let expected = ["The 'Content-Type' must be 'application/json'"];
        caller
            .send("POST", "/integration", Some(body))
            .assert_error(415, &expected);
        caller
            .send("PUT", "/integration/int_x", Some(body))
            .assert_error(415, &expected);
        caller
            .send("POST", "/public/login", Some(body))
            .assert_error(415, &expected);
    }

    assert_eq!(account.total(""), 0);
}

#[test]
fn every_spelling_of_the_json_type_is_accepted() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = r#"{"name":"x","type":"email","destination_ids":[]}"#;

    for kind in [
        "application/json",
        "Application/JSON",
        "application/json;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
    ] {
        account
            .with("Content-Type", kind)
            .send("POST", "/integration", Some(body))
            .assert_status(200);
    }
}

#[test]
fn body_without_a_content_type_is_accepted() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let body = r#"{"name":"x","type":"email","destination_ids":[]}"#;
    let head = format!(
        "POST /integration HTTP/1.1\nAuthorization: ops\nContent-Length: {}",
        body.len()
    );
    connection.request(&head, body).receive().assert_status(200);
}

#[test]
fn refused_body_is_not_parsed_as_the_next_request() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let smuggled = "DELETE /integration/int_x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let head = format!(
        "POST /integration HTTP/1.1\nContent-Length: {}",
        smuggled.len()
    );

    connection
        .request(&head, smuggled)
        .receive()
        .assert_status(401);

    // Whether the connection is kept is the server's choice; what it must not do is answer the
    // body.
    let still_open = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        connection
            .request("GET /livez HTTP/1.1", "")
            .receive()
            .status
    }));
    assert!(
        !matches!(still_open, Ok(status) if status != 200),
        "{still_open:?}"
    );
}

#[test]
fn url_over_the_limit_answers_414() {
    let server = TestServer::with(|settings| settings.limits.url_bytes = 100);
    let account = server.account("ops");
    let path = |length: usize| {
        format!(
            "/integration?name={}",
            "x".repeat(length - "/integration?name=".len())
        )
    };

    account.send("GET", &path(100), None).assert_status(200);
    account
        .send("GET", &path(101), None)
        .assert_error(414, &["The path and query may have at most 100 bytes"]);
}

#[test]
fn late_body_answers_408() {
    let server = TestServer::with(|settings| settings.limits.body_seconds = 0);
    let mut connection = Connection::open(&server);
    let answer = connection
        .request(&format!("{HEAD}\nContent-Length: 10"), "{")
        .receive();
    answer.assert_error(408, &["The body did not arrive within 0 seconds"]);
    assert!(connection.is_closed());
}

#[test]
fn reserved_names_are_refused() {
    // serde_json reads {"$serde_json::private::Number": "5"} as the number 5; silently storing 5
    // would lose what was sent.
    let server = TestServer::start();
    let body = r#"{"name":"x","type":"email","destination_ids":[],"meta":{"a":{"$serde_json::private::Number":"5"}}}"#;
    server
        .account("ops")
        .send("POST", "/integration", Some(body))
        .assert_error(400, &["$serde_json::private::"]);
}

/// What a body costs to parse, copy and write goes by its values: half a million fit into a
/// mebibyte.
#[test]
fn body_with_too_many_values_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = |values: usize| {
        json!({"name": "n", "type": "webhook", "destination_ids": [], "meta": {"list": vec![0; values - 7]}})
            .to_string()
    };

    account
        .send("POST", "/integration", Some(&body(50_000)))
        .assert_status(200);

    let expected = "The body may hold at most 50000 values, members and items, but holds 50001";
    account
        .send("POST", "/integration", Some(&body(50_001)))
        .assert_error(400, &[expected]);

    let one = json!({"name": "n", "type": "webhook", "destination_ids": [], "meta": {"text": ",[{".repeat(200_000)}});
    account.create(one).assert_status(200);
}
