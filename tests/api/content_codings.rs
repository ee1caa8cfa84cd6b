//! Bodies that come compressed, and texts that begin with a byte order mark.

use crate::{
    callers::{Caller, id},
    connection::Connection,
    server::TestServer,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::io::Write;

const INTEGRATION: &str = r#"{"name":"x","type":"email","destination_ids":[]}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// [`INTEGRATION`] as the programs `brotli`, `zstd` and Python's `zlib.compress` write it.
const BROTLI: &[u8] = include_bytes!("../fixtures/codings/integration.br");
const ZSTD: &[u8] = include_bytes!("../fixtures/codings/integration.zst");
const ZLIB: &[u8] = include_bytes!("../fixtures/codings/integration.zz");

fn coded(account: &Caller, coding: &str) -> Caller {
    account.with("Content-Encoding", coding)
}

#[test]
fn body_in_every_supported_coding_is_accepted() {
    let server = TestServer::start();
    let account = server.account("ops");
    let gzipped = gzip(INTEGRATION.as_bytes());
    let twice = gzip(&gzipped);

    for (coding, body) in [
        ("gzip", &gzipped[..]),
        ("X-GZIP", &gzipped),
        ("deflate", ZLIB),
        ("br", BROTLI),
        ("zstd", ZSTD),
        ("identity", INTEGRATION.as_bytes()),
        ("gzip, gzip", &twice),
        ("identity, gzip , ,gzip", &twice),
    ] {
        let answer = coded(&account, coding).send_bytes("POST", "/integration", body);
        assert_eq!(answer.assert_status(200).json()["name"], "x", "{coding}");
    }

    let created = account.created("y");
    let renamed = gzip(br#"{"name":"z"}"#);
    let path = format!("/integration/{}", id(&created));

    coded(&account, "gzip")
        .send_bytes("PUT", &path, &renamed)
        .assert_status(200);
    assert_eq!(account.get(id(&created)).json()["name"], "z");
}

#[test]
fn compressed_event_is_parsed() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created =
        account.created_from(json!({"name": "n", "type": "webhook", "destination_ids": ["tem_1"]}));
    let path = format!("/integration/{}", id(&created));
    let event = json!({"event_type": "create", "Id": "1", "Title": "Disk full"}).to_string();

    coded(&server.anonymous(), "gzip")
        .send_bytes("POST", &path, &gzip(event.as_bytes()))
        .assert_status(200);
    coded(&server.anonymous(), "gzip")
        .send_bytes("POST", &path, event.as_bytes())
        .assert_status(400);
    coded(&server.anonymous(), "lzma")
        .send_bytes("POST", &path, b"")
        .assert_status(415);
    let alerts = account
        .send("GET", "/alert", None)
        .assert_status(200)
        .json();
    assert_eq!(
        (&alerts["total_count"], &alerts["data"][0]["title"]),
        (&json!(1), &json!("Disk full"))
    );
}

#[test]
fn unknown_coding_answers_415_with_accept_encoding() {
    let server = TestServer::start();
    let account = server.account("ops");
    for coding in [
        "compress",
        "lzw",
        "gzip, lzw",
        "gzip;q=1",
        "aws-chunked",
        "gzip, gzip, gzip, gzip",
    ] {
        let answer = coded(&account, coding).send_bytes("POST", "/integration", b"{}");
        assert_eq!(
            answer.header("accept-encoding"),
            Some("gzip, deflate, br, zstd"),
            "{coding}"
        );
        answer.assert_error(415, &[&format!("but is '{coding}'")]);
    }

    assert_eq!(account.total(""), 0);
}

#[test]
fn malformed_coding_answers_400() {
    let server = TestServer::start();
    let account = server.account("ops");
    let cut = gzip(INTEGRATION.as_bytes()).split_off(4);

    for (coding, body) in [
        ("gzip", &cut[..]),
        ("gzip", b""),
        ("deflate", b"{}"),
        ("br", b"{}"),
        ("zstd", b"{}"),
    ] {
        let answer = coded(&account, coding).send_bytes("POST", "/integration", body);
        answer.assert_error(
            400,
            &[&format!("not valid in 'Content-Encoding: {coding}'")],
        );
    }
}

#[test]
fn body_limit_applies_to_the_decoded_size() {
    let server = TestServer::with(|settings| settings.limits.body_bytes = 100_000);
    let account = server.account("ops");
    let filled = |bytes: usize| json!({"name": "x", "type": "email", "destination_ids": [], "meta": {"m": "xy".repeat(bytes / 2)}});
    let small = gzip(filled(60_000).to_string().as_bytes());

    coded(&account, "gzip")
        .send_bytes("POST", "/integration", &small)
        .assert_status(200);

    // Much that repeats itself, and enough that does not, so that it is not too dense.
    let noise: String = (1..1_000_u32)
        .map(|number| {
            number
                .wrapping_mul(2_654_435_761)
                .wrapping_mul(number)
                .to_string()
        })
        .collect();
    let mut large = filled(100_000);
    large["meta"]["noise"] = noise.into();
    let large = gzip(large.to_string().as_bytes());
    let answer = coded(&account, "gzip").send_bytes("POST", "/integration", &large);
    answer.assert_error(413, &["at most 100000 bytes"]);
    assert_eq!(account.total(""), 1);
}

#[test]
fn body_that_expands_a_hundredfold_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    let bomb = gzip(&vec![b' '; 1 << 20]);
    for (coding, body) in [("gzip", bomb.clone()), ("gzip, gzip", gzip(&bomb))] {
        let answer = coded(&account, coding).send_bytes("POST", "/integration", &body);
        answer.assert_error(413, &["at most 100 times as large"]);
    }
    account.created("x");
}

#[test]
fn connection_is_kept_after_a_refused_coding() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let body = gzip(INTEGRATION.as_bytes());
    let head = format!(
        "POST /integration HTTP/1.1\nAuthorization: ops\nContent-Encoding: gzip\nContent-Length: {}",
        body.len()
    );

    for _ in 0..3 {
        connection
            .request(&head, &body)
            .receive()
            .assert_status(200);
        connection
            .request(&head, vec![b'x'; body.len()])
            .receive()
            .assert_status(400);
    }
}

#[test]
fn byte_order_mark_is_skipped() {
    let server = TestServer::start();
    let account = server.account("ops");
    account
        .send(
            "POST",
            "/integration",
            Some(&format!("\u{feff}{INTEGRATION}")),
        )
        .assert_status(200);
    account
        .send("POST", "/integration", Some("\u{feff}"))
        .assert_error(400, &["but is empty"]);
    let created =
        account.created_from(json!({"name": "n", "type": "webhook", "destination_ids": ["tem_1"]}));
    let event = "\u{feff}{\"event_type\": \"create\", \"Id\": \"1\", \"Title\": \"Disk full\"}";
    server
        .anonymous()
        .send(
            "POST",
            &format!("/integration/{}", id(&created)),
            Some(event),
        )
        .assert_status(200);
    let alerts = account
        .send("GET", "/alert", None)
        .assert_status(200)
        .json();
    assert_eq!(alerts["data"][0]["title"], "Disk full");
}

#[test]
fn too_deep_json_error_states_the_limit() {
    let server = TestServer::start();
    let account = server.account("ops");
    let nested = |depth: usize| {
        let meta = format!(
            "{}1{}",
            r#"{"a":["#.repeat(depth / 2),
            "]}".repeat(depth / 2)
        );
        format!(r#"{{"name":"x","type":"email","destination_ids":[],"meta":{meta}}}"#)
    };

    account
        .send("POST", "/integration", Some(&nested(126)))
        .assert_status(200);

    let answer = account.send("POST", "/integration", Some(&nested(128)));
    answer.assert_error(400, &["nested at most 127 levels deep"]);
}
