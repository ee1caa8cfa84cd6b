//! Whole responses, compared with golden files in `tests/fixtures/golden`.
//!
//! Ids, ports and versions are replaced by placeholders, and the clock stands still. After a change
//! that is meant, `UPDATE_GOLDEN=1 cargo test --test api golden` rewrites the files.

use crate::{callers::Caller, response::Response, server::TestServer};
use regex::Regex;
use serde_json::{Value, json};
use std::{fmt::Write as _, fs, path::Path};

/// 2024-02-29T12:00:00.000Z
const NOW: i64 = 1_709_208_000_000;

/// Values that differ from run to run or from version to version, and their placeholders.
const PLACEHOLDERS: [(&str, &str); 4] = [
    (r"\b(acc|int|alt|log)_[A-Za-z0-9_-]{14}", "${1}_ID"),
    (r"\b(127\.0\.0\.1|localhost):[0-9]+", "$1:PORT"),
    (r"\bureq/[0-9.]+", "ureq/VERSION"),
    (
        concat!("\"", env!("CARGO_PKG_VERSION"), "\""),
        "\"VERSION\"",
    ),
];

/// A response as a golden file shows it: the request, the status and the body.
fn show(shown: &mut String, request: &str, response: &Response) {
    let body = match serde_json::from_str::<Value>(&response.text) {
        // Members keep their order.
        Ok(body) => serde_json::to_string_pretty(&body).unwrap(),
        Err(_) => response.text.trim_end().to_owned(),
    };
    writeln!(shown, "{request}\n{}\n{body}\n", response.status).unwrap();
}

fn requested(caller: &Caller, requests: &[(&str, &str, Option<&str>)]) -> String {
    let mut shown = String::new();
    for (method, path, body) in requests {
        let request = match body {
            Some(body) => format!("{method} {path} {body}"),
            None => format!("{method} {path}"),
        };
        show(&mut shown, &request, &caller.send(method, path, *body));
    }
    shown
}

#[track_caller]
fn assert_golden(name: &str, shown: &str) {
    let mut shown = format!("{}\n", shown.trim_end());
    for (pattern, placeholder) in PLACEHOLDERS {
        let pattern = Regex::new(pattern).unwrap();
        shown = pattern.replace_all(&shown, placeholder).into_owned();
    }

    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/golden")
        .join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &shown).unwrap();
    }

    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == shown,
        "{} differs; UPDATE_GOLDEN=1 rewrites it. The response is now:\n{shown}",
        path.display()
    );
}

#[test]
fn the_index_is_as_published() {
    let server = TestServer::at(NOW);
    assert_golden(
        "index",
        &requested(&server.anonymous(), &[("GET", "/", None)]),
    );
}

#[test]
fn errors_are_as_published() {
    let server = TestServer::at(NOW);
    let invalid = r#"{"type": 5, "urgency": "loud", "tags": 1}"#;
    let mut shown = requested(
        &server.account("t"),
        &[
            ("POST", "/integration", Some(invalid)),
            ("POST", "/integration", Some("{")),
            ("POST", "/integration", Some("[]")),
            ("GET", "/integration/int_00000000000000", None),
            ("PUT", "/integration/no-id", Some("{}")),
            (
                "GET",
                "/integration?limit=0&offset=x&nope=1&sort=nope",
                None,
            ),
            ("GET", "/integration?ops=name:near&name=x", None),
            ("POST", "/alert/alt_00000000000000/resolve", None),
            ("POST", "/alert", Some("{}")),
            ("PATCH", "/integration", None),
            ("GET", "/nowhere", None),
        ],
    );
    shown += &requested(&server.anonymous(), &[("GET", "/integration", None)]);
    let plain = server.account("t").with("content-type", "text/plain");
    shown += &requested(&plain, &[("POST", "/integration", Some("{}"))]);
    assert_golden("errors", &shown);
}

#[test]
fn lists_are_as_published() {
    let server = TestServer::at(NOW);
    let account = server.account("t");
    for name in ["a", "b", "c"] {
        account.created(name);
    }

    let page = account.list("limit=2&offset=1&sort=-name");
    let mut shown = String::new();
    show(
        &mut shown,
        "GET /integration?limit=2&offset=1&sort=-name",
        &page,
    );
    writeln!(shown, "link: {}", page.header("link").unwrap()).unwrap();
    assert_golden("list", &shown);
}

#[test]
fn an_event_with_its_alert_and_log_is_as_published() {
    let server = TestServer::at(NOW);
    let account = server.account("t");
    let source = account.created_from(
        json!({ "name": "source", "type": "webhook", "destination_ids": ["tem_xxxxxxx"] }),
    );
    let path = format!("/integration/{}", source["id"].as_str().unwrap());
    let event = json!({
        "event_type": "create",
        "id": "disk-db-1",
        "title": "Disk almost full",
        "description": "/var on db-1 is at 97 %",
        "urgency": "critical",
        "tags": ["db"],
        "meta": { "runbook": "https://example.com/17" },
    })
    .to_string();

    let shown = requested(
        &account,
        &[
            ("POST", &path, Some(&event)),
            ("GET", "/alert", None),
            ("GET", "/log", None),
        ],
    );
    assert_golden("event", &shown);
}

#[test]
fn metrics_have_the_published_names_and_types() {
    let server = TestServer::at(NOW);
    server.account("t").created("a");
    let metrics = server.anonymous().send("GET", "/metrics", None);
    let described: Vec<_> = metrics
        .text
        .lines()
        .filter(|line| line.starts_with("# "))
        .collect();
    assert_golden("metrics", &described.join("\n"));
}
