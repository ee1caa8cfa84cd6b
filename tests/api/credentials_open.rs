//! Who gets in in open mode: anybody with any credential, each with an account of their own.

use crate::server::TestServer;

#[test]
fn request_without_a_credential_answers_401() {
    let server = TestServer::start();
    let anonymous = server.anonymous();
    for (method, path, body) in [
        ("GET", "/integration", None),
        ("POST", "/integration", Some("{}")),
        ("GET", "/integration/int_x", None),
        ("PUT", "/integration/int_x", Some("{}")),
        ("DELETE", "/integration/int_x", None),
    ] {
        let answer = anonymous
            .send(method, path, body)
            .assert_error(401, &["No credential: send 'Authorization: <token>'"]);
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer"),
            "{method} {path}"
        );
    }
}

#[test]
fn empty_credential_answers_401() {
    let server = TestServer::start();
    for value in ["", "   ", "Bearer", "Bearer "] {
        server
            .account(value)
            .list("")
            .assert_error(401, &["No credential"]);
    }
    server
        .pair("", "")
        .list("")
        .assert_error(401, &["No credential"]);
}

#[test]
fn incomplete_pair_answers_401() {
    let server = TestServer::start();
    let anonymous = server.anonymous();
    let answer = anonymous
        .with("x-api-key", "k")
        .list("")
        .assert_error(401, &["'x-api-key' requires 'x-api-secret'"]);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    anonymous
        .with("x-api-secret", "s")
        .list("")
        .assert_error(401, &["'x-api-secret' requires 'x-api-key'"]);
}

#[test]
fn bare_and_bearer_tokens_are_equal() {
    let server = TestServer::start();
    let created = server.account("ops").created("x");
    for spelling in ["Bearer ops", "bearer ops", "BEARER   ops", "ops"] {
        assert_eq!(
            server.account(spelling).list("").json()["data"][0],
            created,
            "{spelling}"
        );
    }
}

#[test]
fn key_and_secret_are_accepted() {
    let server = TestServer::start();
    server.pair("k", "s").created("x");
    assert_eq!(server.pair("k", "s").names(""), ["x"]);
}

#[test]
fn each_credential_has_its_own_account() {
    let server = TestServer::start();
    let callers = [
        server.account("ops"),
        server.account("Ops"),
        server.account("ops2"),
        server.account("Basic ops"),
        server.pair("ops", "s"),
        server.pair("ops", "t"),
        server.pair("op", "ss"),
        server.pair("s", "ops"),
    ];
    let mut sids: Vec<_> = callers
        .iter()
        .map(|caller| caller.created("x")["sid"].to_string())
        .collect();

    for caller in &callers {
        assert_eq!(caller.total(""), 1);
    }

    sids.sort();
    sids.dedup();
    assert_eq!(sids.len(), callers.len());
}

#[test]
fn authorization_takes_precedence_over_the_pair() {
    let server = TestServer::start();
    server.account("ops").created("by token");
    server.pair("k", "s").created("by pair");
    assert_eq!(
        server.pair("k", "s").with("Authorization", "ops").names(""),
        ["by token"]
    );
    assert_eq!(
        server
            .pair("k", "s")
            .with("Authorization", "Bearer ")
            .names(""),
        ["by pair"]
    );
}

#[test]
fn account_is_stable_across_restarts() {
    let server = TestServer::on_disk();
    let by_token = server.account("ops").created("x");
    let by_pair = server.pair("k", "s").created("y");
    let server = server.restart();

    assert_eq!(
        server.account("ops").list("").json()["data"],
        serde_json::json!([by_token])
    );
    assert_eq!(
        server.pair("k", "s").list("").json()["data"],
        serde_json::json!([by_pair])
    );
}

#[test]
fn account_id_does_not_reveal_the_token() {
    let server = TestServer::start();
    let created = server.account("hunter2hunter2").created("x");
    assert!(!created.to_string().contains("hunter2"));
}
