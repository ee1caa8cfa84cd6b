//! `/livez`, `/readyz` and `/metrics`.

use crate::server::TestServer;
use serde_json::json;

#[test]
fn livez_and_readyz_answer_200_without_a_credential() {
    for server in [TestServer::start(), TestServer::with_people(), TestServer::on_disk()] {
        for path in ["/livez", "/readyz"] {
            let answer = server.anonymous().send("GET", path, None).assert_status(200);
            assert_eq!(answer.json(), json!({"status": "ok"}), "{path}");
        }
    }
}

#[test]
fn asking_whether_it_is_ready_writes_nothing() {
    let server = TestServer::start();
    let commits = || metric(&server, "pagertree_local_store_commits");
    let before = commits();
    server.anonymous().send("GET", "/readyz", None).assert_status(200);
    assert_eq!(commits(), before);
}

#[test]
fn metrics_are_prometheus_text() {
    let server = TestServer::start();
    let answer = server.anonymous().send("GET", "/metrics", None).assert_status(200);
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    assert!(answer.text.ends_with("# EOF\n"), "{}", answer.text);
    for line in answer.text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("pagertree_local_") && value.parse::<f64>().is_ok(), "{line}");
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
        (r#"{method="GET",route="/integration/{id}",status="404"}"#, 2.0),
        (r#"{method="other",route="unknown",status="404"}"#, 1.0),
    ] {
        assert_eq!(metric(&server, &format!("pagertree_local_http_requests_total{labels}")), Some(count));
    }
    assert_eq!(metric(&server, "pagertree_local_store_writable"), Some(1.0));
}

#[test]
fn metrics_hold_no_ids_and_no_tokens() {
    let server = TestServer::start();
    let created = server.account("hunter2hunter2").created("x");
    server.account("hunter2hunter2").get(crate::callers::id(&created));
    let text = server.anonymous().send("GET", "/metrics", None).text;
    for secret in ["hunter2", crate::callers::id(&created), created["sid"].as_str().unwrap()] {
        assert!(!text.contains(secret), "{secret}");
    }
}

fn metric(server: &TestServer, name: &str) -> Option<f64> {
    let text = server.anonymous().send("GET", "/metrics", None).text;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}
