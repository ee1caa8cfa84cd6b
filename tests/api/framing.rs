//! One request after another on a connection: where each ends, what clients offer and ask before
//! they send a body, and that nothing stands between the answers.

use crate::{callers::id, connection::Connection, server::TestServer};
use serde_json::json;
use std::time::Duration;

/// What the client of Java 11 to 21 sends first on each connection, word for word.
const JAVA: &str = "Connection: Upgrade, HTTP2-Settings\r\nContent-Length: 48\r\nHost: 127.0.0.1:7243\r\n\
                    HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\nUpgrade: h2c\r\n\
                    User-Agent: Java-http-client/17.0.19\r\nAuthorization: ops\r\nContent-Type: application/json\r\n\r\n";
const INTEGRATION: &str = r#"{"name":"x","type":"email","destination_ids":[]}"#;

fn create(headers: &str) -> String {
    let length = INTEGRATION.len();
    format!(
        "POST /integration HTTP/1.1\r\nHost: x\r\nAuthorization: ops\r\nContent-Length: {length}\r\n{headers}\r\n{INTEGRATION}"
    )
}

/// The connection was closed after the answer, which did not say so, and the next request was lost.
#[test]
fn upgrade_offer_is_ignored() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    for number in 1..=20 {
        let answer = connection
            .send(format!("POST /integration HTTP/1.1\r\n{JAVA}{INTEGRATION}"))
            .receive();
        assert_eq!(answer.header("connection"), None, "{answer:?}");
        assert_eq!(answer.assert_status(200).json()["tinyId"], number);
    }

    let offers = [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
        "connection: keep-alive, UPGRADE\r\nupgrade: TLS/1.0\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    ];

    // All of them at once, too.
    connection.send(offers.map(create).concat());
    for number in 21..=23 {
        assert_eq!(
            connection.receive().assert_status(200).json()["tinyId"],
            number
        );
    }
}

#[test]
fn body_beside_a_websocket_offer_is_read() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let request = create("Connection: Upgrade\r\nUpgrade: websocket\r\n");
    let (head, body) = request.split_at(request.len() - 10);

    connection
        .send(head)
        .send(body)
        .receive()
        .assert_status(200);
    connection
        .request(
            "GET /livez HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket",
            "",
        )
        .receive()
        .assert_status(200);
    connection
        .request("GET /livez HTTP/1.1", "")
        .receive()
        .assert_status(200);
}

#[test]
fn event_is_logged_with_its_original_headers() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = json!({"name": "n", "type": "webhook", "destination_ids": []});
    let integration = id(&account.created_from(body)).to_owned();
    let mut connection = Connection::open(&server);
    let head = format!(
        "POST /integration/{integration} HTTP/1.1\nConnection: Upgrade, HTTP2-Settings\nUpgrade: websocket\n\
         Expect: 100-continue\nContent-Length: 2"
    );
    connection.request(&head, "").receive_head();
    connection.send("{}").receive().assert_status(200);
    let log = account.send("GET", "/log", None).assert_status(200).json()["data"][0].clone();
    let headers = &log["request"]["headers"];
    let found = ["connection", "upgrade", "expect"]
        .map(|name| headers[name].as_str().unwrap_or_default().to_owned());
    assert_eq!(
        found,
        ["Upgrade, HTTP2-Settings", "websocket", "100-continue"],
        "{log}"
    );
}

#[test]
fn continue_is_sent_when_the_body_is_read() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    for _ in 0..3 {
        let request = create("Expect: 100-continue\r\n");
        let (head, body) = request.split_at(request.len() - INTEGRATION.len());
        connection.send(head);
        assert_eq!(connection.receive_head().status, 100);
        connection.send(body).receive().assert_status(200);
    }

    // Who does not wait need not be asked.
    connection
        .send(create("Expect: 100-continue\r\n"))
        .receive()
        .assert_status(200);
    connection
        .request("GET /livez HTTP/1.1\nExpect: 100-continue", "")
        .receive()
        .assert_status(200);
}

/// It was asked for before anybody had looked at the head, and sent all of it in vain.
#[test]
fn continue_is_not_sent_for_a_refused_head() {
    let server = TestServer::with(|settings| settings.limits.body_bytes = 1_000);
    let body = serde_json::json!({"name": "x", "type": "webhook", "destination_ids": []});
    let existing = server.account("ops").created_from(body);
    let events = format!("/integration/{}", id(&existing));
    let head = |path: &str, headers: &str| {
        format!("POST {path} HTTP/1.1\nExpect: 100-continue\n{headers}")
    };

    for (status, head) in [
        (401, head("/integration", "Content-Length: 5")),
        (
            404,
            head("/nowhere", "Authorization: ops\nContent-Length: 5"),
        ),
        (405, head("/livez", "Authorization: ops\nContent-Length: 5")),
        (
            413,
            head("/integration", "Authorization: ops\nContent-Length: 1001"),
        ),
        (
            404,
            head("/integration/int_doesnotexist1", "Content-Length: 5"),
        ),
        (413, head(&events, "Content-Length: 1001")),
        (
            415,
            head(
                "/integration",
                "Authorization: ops\nContent-Type: text/plain\nContent-Length: 5",
            ),
        ),
        (
            415,
            head(
                "/integration",
                "Authorization: ops\nContent-Encoding: lzw\nTransfer-Encoding: chunked",
            ),
        ),
        (
            415,
            head(&events, "Content-Encoding: lzw\nContent-Length: 5"),
        ),
    ] {
        let mut connection = Connection::open(&server);
        let answer = connection.request(&head, "").receive();
        assert_eq!(
            (answer.status, answer.header("connection")),
            (status, Some("close")),
            "{head}: {answer:?}"
        );
        assert!(connection.is_closed(), "{head}");
    }
}

/// The first answer said that it was the last, and the second request was lost.
#[test]
fn pipelined_request_with_a_late_body_is_answered() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let chunked = "POST /integration HTTP/1.1\r\nHost: x\r\nAuthorization: ops\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = format!(
        "18\r\n{}\r\n18; x\r\n{}\r\n0\r\nx: y\r\n\r\n",
        &INTEGRATION[..24],
        &INTEGRATION[24..]
    );
    let all = [
        create(""),
        format!("{chunked}{body}"),
        create(""),
        "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ];
    let (all, length) = (all.concat(), create("").len());

    for cut in [
        length - 1,
        length + 20,
        length + chunked.len(),
        length + chunked.len() + 30,
        all.len() - 70,
    ] {
        connection.send(&all[..cut]);
        // So that the rest comes later indeed.
        assert!(cut < length || connection.has_something(Duration::from_secs(20)));
        connection.send(&all[cut..]);
        for _ in 0..4 {
            let answer = connection.receive().assert_status(200);
            assert_eq!(answer.header("connection"), None, "{cut}: {answer:?}");
        }
    }
}

#[test]
fn requests_sent_byte_by_byte_are_answered() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let chunked = "POST /integration HTTP/1.1\r\nHost: x\r\nAuthorization: ops\r\nTransfer-Encoding: chunked\r\n\r\n";
    let all = format!(
        "{}{chunked}30\r\n{INTEGRATION}\r\n0\r\n\r\n\r\n{}",
        create("Connection: upgrade\r\n"),
        create("")
    );

    for byte in all.as_bytes() {
        connection.send([*byte]);
    }

    for number in 1..=3 {
        assert_eq!(
            connection.receive().assert_status(200).json()["tinyId"],
            number
        );
    }
}

#[test]
fn malformed_chunks_get_one_response_and_a_close() {
    let server = TestServer::start();
    let head = "POST /integration HTTP/1.1\nAuthorization: ops\nTransfer-Encoding: chunked";
    for chunks in [
        "x",
        "5\r\nabcdefg",
        "1\nx",
        "fffffffffffffffff\r\n",
        "3\r\n{\"a\r\n-\r\n",
        "1;\u{1}\r\n",
    ] {
        let mut connection = Connection::open(&server);
        let answer = connection
            .request(
                head,
                format!("{chunks}\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
            )
            .receive();

        assert_eq!(
            answer.header("connection"),
            Some("close"),
            "{chunks:?}: {answer:?}"
        );
        answer.assert_error(
            400,
            &["The body is not valid in 'Transfer-Encoding: chunked'"],
        );
        assert!(connection.is_closed(), "{chunks:?}");
    }
}

/// An answer of ours was taken for one of the library's, and got a body behind what its head says.
#[test]
fn pipelined_responses_match_their_requests() {
    let server = TestServer::start();
    let account = server.account("ops");
    let options = json!({"name": "n", "type": "meta_workplace", "destination_ids": [], "options": {"incoming_enabled": true}});
    let integration = id(&account.created_from(options)).to_owned();
    let mut connection = Connection::open(&server);
    let challenge = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx: y\r\n\r\n";
    let encoded: String = form_urlencoded::byte_serialize(challenge.as_bytes()).collect();
    let echo = |challenge: &str| {
        format!(
            "GET /integration/{integration}/g?hub.mode=subscribe&hub.challenge={challenge} HTTP/1.1"
        )
    };

    // Nothing is sent back that is no challenge of theirs.
    assert_eq!(
        connection
            .request(&echo(&encoded), "")
            .receive()
            .assert_status(200)
            .text,
        ""
    );
    assert_eq!(
        connection
            .request(&echo("1158201444"), "")
            .receive()
            .assert_status(200)
            .text,
        "1158201444"
    );

    // A name that looks like an answer comes back as it was sent, and so does an id of the client's
    // own.
    let body = json!({"name": challenge, "type": "email", "destination_ids": []}).to_string();

    let head = format!(
        "POST /integration HTTP/1.1\nAuthorization: ops\nX-Request-Id: HTTP/1.1 404 content-length: 0\nContent-Length: {}",
        body.len()
    );

    assert_eq!(
        connection
            .request(&head, body)
            .receive()
            .assert_status(200)
            .json()["name"],
        challenge.trim()
    );
    connection
        .request("GET /livez HTTP/1.1", "")
        .receive()
        .assert_status(200);
}

#[test]
fn malformed_request_is_refused_after_valid_ones() {
    let server = TestServer::start();
    for before in 0..3 {
        for (status, head) in [
            (400, "GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned()),
            (400, "\u{16}\u{3}\u{1}\u{2}".to_owned()),
            (400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
            (400, "GET /livez HTTP/1.1\r\n\r\n".to_owned()),
            (
                431,
                format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(97)),
            ),
            (431, format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(132_000))),
            (414, format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(66_000))),
        ] {
            let mut connection = Connection::open(&server);
            let good = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".repeat(before);
            // Who is refused need not be read to the end.
            let _refused = connection.try_send(format!("{good}{head}"));
            for _ in 0..before {
                connection.receive().assert_status(200);
            }
            let answer = connection.receive().assert_error(status, &[""]);
            assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
            assert!(answer.header("request-id").is_some(), "{answer:?}");
            assert!(connection.is_closed());
        }
    }
}
