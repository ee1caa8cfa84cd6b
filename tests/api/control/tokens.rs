//! `/_local/tokens`: credentials in any state that a client must cope with.

use crate::{
    callers::Caller,
    response::Response,
    server::TestServer,
    users::{self, OURS},
};
use serde_json::{Value, json};

fn issue(account: &Caller, body: Value) -> Response {
    account.send("POST", "/_local/tokens", Some(&body.to_string()))
}

fn issued(account: &Caller, body: Value) -> Value {
    issue(account, body).assert_status(200).json()
}

fn bearer(server: &TestServer, issued: &Value) -> Caller {
    server.account(issued["token"].as_str().unwrap())
}

#[test]
fn token_gives_access_to_the_account() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let token = issued(&account, json!({}));
    assert_eq!(token["sid"], created["sid"]);
    let user = bearer(&server, &token);
    assert_eq!(user.names(""), ["x"]);
    user.created("y");
    assert_eq!(account.total(""), 2);
}

#[test]
fn read_only_token_may_not_write() {
    let server = TestServer::start();
    let token = issued(&server.account("ops"), json!({"read_only": true}));
    assert_eq!(token["read_only"], true);
    let reader = bearer(&server, &token);
    reader.list("").assert_status(200);
    reader
        .create(json!({"name": "x", "type": "email", "destination_ids": []}))
        .assert_status(403);
}

#[test]
fn token_expires_when_asked_for() {
    let server = TestServer::at(1_524_787_370_419);
    let account = server.account("ops");
    let expired = issued(&account, json!({"expires_in": "-1s"}));
    bearer(&server, &expired)
        .list("")
        .assert_error(401, &["The token has expired"]);

    let token = issued(&account, json!({"expires_in": 60}));
    assert_eq!(token["expires_at"], "2018-04-27T00:03:50.419Z");
    let user = bearer(&server, &token);
    user.list("").assert_status(200);
    account
        .send("PUT", "/_local/clock", Some(r#"{"advance": "1m"}"#))
        .assert_status(200);
    user.list("").assert_error(401, &["The token has expired"]);
}

#[test]
fn revoked_token_is_refused() {
    let server = TestServer::start();
    let (account, other) = (server.account("ops"), server.account("dev"));
    let token = issued(&account, json!({}));
    let path = format!("/_local/tokens/{}", token["id"].as_str().unwrap());
    let user = bearer(&server, &token);

    other
        .send("DELETE", &path, None)
        .assert_error(404, &["Token not found"]);
    user.list("").assert_status(200);
    account.send("DELETE", &path, None).assert_status(204);
    user.list("").assert_error(401, &["The token was revoked"]);
    account.send("DELETE", &path, None).assert_status(404);
}

#[test]
fn token_ends_with_the_server() {
    let server = TestServer::on_disk();
    let token = issued(&server.account("ops"), json!({}));
    let server = server.restart();
    bearer(&server, &token)
        .list("")
        .assert_error(401, &["restarted"]);
}

#[test]
fn user_of_a_token_is_the_author_of_changes() {
    let server = TestServer::start();
    let account = server.account("ops");
    let author = |token: &Value| {
        let user = bearer(&server, token);
        let body = json!({"title": "t", "destination_ids": []}).to_string();
        user.send("POST", "/alert", Some(&body)).json()["source_id"].clone()
    };
    let token = issued(&account, json!({"user": "usr_alice"}));
    assert_eq!(token["user_id"], "usr_alice");
    assert_eq!(author(&token), "usr_alice");
    let named = issued(&account, json!({"user": "alice@example.com"}));
    assert_eq!(author(&named), named["user_id"]);
}

#[test]
fn damaged_token_of_ours_is_refused_and_never_a_new_account() {
    let server = TestServer::start();
    let login = json!({"username": "alice", "password": "x"}).to_string();
    let login = server
        .anonymous()
        .send("POST", "/public/login", Some(&login));
    let login = login.json()["token"].as_str().unwrap().to_owned();
    let issued = issued(&server.account("ops"), json!({}));
    for token in [login.as_str(), issued["token"].as_str().unwrap()] {
        for damaged in [
            format!("{token}x"),
            token[..token.len() - 1].to_owned(),
            token.rsplit_once('.').unwrap().0.to_owned(),
        ] {
            server
                .account(&damaged)
                .list("")
                .assert_error(401, &["The token is damaged"]);
        }
    }
    // Those of the real service are any credential like another.
    let foreign = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6InVzcl8xIn0.c2lnbmF0dXJl";
    server.account(foreign).list("").assert_status(200);
}

#[test]
fn token_of_a_key_follows_the_rules_of_keys_mode() {
    let server = TestServer::with_people();
    let key = server.key();
    let token = issued(&key, json!({"user": "alice", "read_only": true}));
    assert_eq!(
        (&token["sid"], &token["user_id"]),
        (&json!(OURS), &json!("usr_alice"))
    );
    bearer(&server, &token).list("").assert_status(200);
    let bob = issued(&key, json!({"user": "bob"}));
    bearer(&server, &bob)
        .create(json!({"name": "x", "type": "email", "destination_ids": []}))
        .assert_status(403);

    issue(&key, json!({"user": "mallory"})).assert_error(400, &["must be a declared user"]);
    issue(&key, json!({"expires_in": "2d"})).assert_error(400, &["in keys mode"]);
    issue(&server.read_only_key(), json!({})).assert_status(403);
}

#[test]
fn token_of_all_accounts_is_refused() {
    let server = TestServer::with(|settings| {
        users::declared(settings);
        settings.test.token = "owner-of-the-server".into();
    });
    issue(&server.account("owner-of-the-server"), json!({}))
        .assert_error(400, &["A token belongs to one account"]);
}
