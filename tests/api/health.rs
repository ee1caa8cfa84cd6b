//! `/livez`, `/readyz` and `/metrics`.

use crate::server::TestServer;
use serde_json::json;

#[test]
fn livez_and_readyz_answer_200_without_a_credential() {
    for server in [
        TestServer::start(),
        TestServer::with_people(),
        TestServer::on_disk(),
    ] {
        for path in ["/livez", "/readyz"] {
            let answer = server
                .anonymous()
                .send("GET", path, None)
                .assert_status(200);
            assert_eq!(answer.json(), json!({"status": "ok"}), "{path}");
        }
    }
}

#[test]
fn readyz_writes_nothing() {
    let server = TestServer::start();
    let commits = || metric(&server, "pagertree_local_store_commits_total");
    let before = commits();
    server
        .anonymous()
        .send("GET", "/readyz", None)
        .assert_status(200);
    assert_eq!(commits(), before);
}

#[test]
fn metrics_are_prometheus_text() {
    let server = TestServer::start();
    let answer = server
        .anonymous()
        .send("GET", "/metrics", None)
        .assert_status(200);
    let kind = answer.header("content-type").unwrap();

    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    assert!(answer.text.ends_with("# EOF\n"), "{}", answer.text);

    for line in answer.text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(
            name.starts_with("pagertree_local_") && value.parse::<f64>().is_ok(),
            "{line}"
        );
    }
}

#[test]
fn metrics_count_requests_by_method_route_and_status() {
    let server = TestServer::start();
    let account = server.account("ops");
    account.created("x");
    account.get("int_doesnotexist1");
    account.get("int_doesnotexist2");
    account.send("BREW", "/coffee", None);

    for (labels, count) in [
        (r#"{method="POST",route="/integration",status="200"}"#, 1.0),
        (
            r#"{method="GET",route="/integration/{id}",status="404"}"#,
            2.0,
        ),
        (r#"{method="other",route="unknown",status="404"}"#, 1.0),
    ] {
        assert_eq!(
            metric(
                &server,
                &format!("pagertree_local_http_requests_total{labels}")
            ),
            Some(count)
        );
    }

    assert_eq!(metric(&server, "pagertree_local_store_writable"), Some(1.0));
}

#[test]
fn metrics_contain_no_ids_or_tokens() {
    let server = TestServer::start();
    let created = server.account("hunter2hunter2").created("x");
    server
        .account("hunter2hunter2")
        .get(crate::callers::id(&created));

    let text = server.anonymous().send("GET", "/metrics", None).text;
    for secret in [
        "hunter2",
        crate::callers::id(&created),
        created["sid"].as_str().unwrap(),
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn metrics_count_events_by_action() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = |kind: &str, options: serde_json::Value| {
        let body = json!({"name": "n", "type": kind, "destination_ids": [], "options": options});
        account.created_from(body)
    };

    let (open, guarded) = (
        created("webhook", json!({})),
        created("webhook", json!({"token": "t"})),
    );
    let send = |integration: &serde_json::Value, kind: &str| {
        let event = json!({"event_type": kind, "id": "x", "title": "t"}).to_string();
        server.anonymous().send(
            "POST",
            &format!("/integration/{}", crate::callers::id(integration)),
            Some(&event),
        );
    };

    for kind in ["create", "create", "acknowledge", "resolve", "dance"] {
        send(&open, kind);
    }

    send(&guarded, "create");
    account
        .update(crate::callers::id(&open), json!({"enabled": false}))
        .assert_status(200);
    send(&open, "create");

    let count = |action: &str| {
        metric(
            &server,
            &format!("pagertree_local_events_total{{action=\"{action}\"}}"),
        )
    };

    for (action, expected) in [
        ("create", 2.0),
        ("acknowledge", 1.0),
        ("resolve", 1.0),
        ("other", 1.0),
        ("blocked", 1.0),
        ("disabled", 1.0),
    ] {
        assert_eq!(count(action), Some(expected), "{action}");
    }
}

#[test]
fn metrics_count_attempts_to_send_webhooks() {
    let server = TestServer::with(|settings| {
        settings.outgoing.attempts = 1;
    });

    let account = server.account("ops");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();

    // The server itself takes this one, and refuses it.
    let refused = format!("http://{}/nowhere", server.address);
    for url in [format!("http://{nobody}/"), refused] {
        account.created_from(
            json!({"name": "n", "type": "outgoingwebhook", "destination_ids": [], "options": {"url": url}}),
        );
    }

    let alert = json!({"title": "t", "destination_ids": []}).to_string();
    account
        .send("POST", "/alert", Some(&alert))
        .assert_status(200);

    let count = |outcome: &str| {
        metric(
            &server,
            &format!("pagertree_local_webhooks_total{{outcome=\"{outcome}\"}}"),
        )
    };

    while (count("unanswered"), count("refused")) != (Some(1.0), Some(1.0)) {}
    assert_eq!(count("taken"), None);
}

#[test]
fn metrics_report_store_and_connections() {
    let server = TestServer::with(|settings| {
        settings.outgoing.attempts = 9;
    });

    let account = server.account("ops");
    let alert = json!({"title": "t", "destination_ids": []}).to_string();
    let url = format!("http://{}/nowhere", server.address);

    account
        .created_from(json!({"name": "n", "type": "outgoingwebhook", "destination_ids": [], "options": {"url": url}}));
    let count = |name: &str| metric(&server, &format!("pagertree_local_{name}"));

    for untroubled in [
        "store_queue",
        "store_index_bytes",
        "store_snapshot_bytes",
        "webhooks_waiting",
        "store_faults_total",
        "store_healings_total",
        r#"store_refusals_total{reason="full"}"#,
        r#"store_refusals_total{reason="closed"}"#,
        r#"store_refusals_total{reason="stuck"}"#,
    ] {
        assert_eq!(count(untroubled), Some(0.0), "{untroubled}");
    }

    for _ in 0..3 {
        account
            .send("POST", "/alert", Some(&alert))
            .assert_status(200);
    }

    account
        .send("GET", "/integration?type=email", None)
        .assert_status(200);
    assert!(count("store_index_bytes") > Some(0.0));

    // Each is refused, and tried again later.
    assert_eq!(count("webhooks_waiting"), Some(3.0));
    // What came of an attempt is written too.
    let (writes, commits) = (count("store_writes_total"), count("store_commits_total"));
    assert!(
        commits >= Some(4.0) && writes >= commits,
        "{writes:?} writes in {commits:?} commits"
    );
    assert!(count("http_connections") >= Some(1.0), "the one that asks");
}

pub(crate) fn metric(server: &TestServer, name: &str) -> Option<f64> {
    let text = server.anonymous().send("GET", "/metrics", None).text;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}
