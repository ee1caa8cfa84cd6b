//! Who gets in in keys mode: declared keys and users, to read or to write.

use crate::{
    callers::id,
    server::TestServer,
    users::{OURS, THEIRS, secret_of, token_of},
};
use serde_json::json;

#[test]
fn key_is_accepted_as_token_bearer_and_pair() {
    let server = TestServer::with_people();
    let created = server.key().created("x");
    let bearer = server.account(&format!("Bearer {}", token_of("key_writer")));

    for caller in [
        server.key(),
        server.key_pair(),
        bearer,
        server.read_only_key(),
        server.user(),
        server.read_only_user(),
    ] {
        assert_eq!(caller.get(id(&created)).assert_status(200).json(), created);
    }
}

#[test]
fn sid_of_created_objects_is_the_account() {
    let server = TestServer::with_people();
    assert_eq!(server.key().created("x")["sid"], OURS);
    assert_eq!(server.key_pair().created("x")["sid"], OURS);
    assert_eq!(server.user().created("x")["sid"], OURS);
    assert_eq!(server.stranger().created("x")["sid"], THEIRS);
}

#[test]
fn keys_and_users_of_an_account_share_its_objects() {
    let server = TestServer::with_people();
    let created = server.key().created("x");
    server
        .user()
        .update(id(&created), json!({"name": "y"}))
        .assert_status(200);
    server.key_pair().delete(id(&created)).assert_status(204);
    assert_eq!(server.read_only_key().total(""), 0);
}

#[test]
fn every_wrong_credential_gets_the_same_401() {
    let server = TestServer::with_people();
    let secret = secret_of("key_writer");
    let wrong = [
        server.account("anything"),
        server.account("key_writer"),
        server.account("key_writer."),
        server.account(&format!("key_writer.{secret}x")),
        server.account(&format!("key_unknown.{secret}")),
        server.account(&format!("key_reader.{secret}")),
        server.account(&secret),
        server.account(&format!("Basic {}", token_of("key_writer"))),
        server.pair("key_writer", "wrong"),
        server.pair("key_unknown", &secret),
        server.pair(&secret, "key_writer"),
    ];

    for caller in wrong {
        let answer = caller
            .list("")
            .assert_error(401, &["The credential is not valid"]);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn without_a_credential_keys_mode_answers_401() {
    let server = TestServer::with_people();
    let answer = server
        .anonymous()
        .list("")
        .assert_error(401, &["No credential"]);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[test]
fn wrong_token_beside_a_valid_pair_answers_401() {
    let server = TestServer::with_people();
    server
        .key_pair()
        .with("Authorization", "wrong")
        .list("")
        .assert_status(401);
}

#[test]
fn read_only_credential_gets_403_for_every_write() {
    let server = TestServer::with_people();
    let created = server.key().created("x");
    for reader in [server.read_only_key(), server.read_only_user()] {
        assert_eq!(reader.names(""), ["x"]);
        let forbidden = ["You don't have access to the resource requested"];
        let body = json!({"name": "y", "type": "email", "destination_ids": []});
        reader.create(body.clone()).assert_error(403, &forbidden);
        reader
            .update(id(&created), body)
            .assert_error(403, &forbidden);
        reader
            .update(id(&created), json!({}))
            .assert_error(403, &forbidden);
        reader.delete(id(&created)).assert_error(403, &forbidden);
    }

    assert_eq!(server.key().list("").json()["data"], json!([created]));
}

#[test]
fn read_only_403_reveals_nothing() {
    let server = TestServer::with_people();
    let (ours, theirs) = (server.key().created("x"), server.stranger().created("y"));
    let reader = server.read_only_key();
    let answers = [id(&ours), id(&theirs), "int_doesnotexist1"].map(|id| reader.delete(id));
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (403, &answers[0].text));
    }
}

#[test]
fn unauthenticated_request_gets_no_other_errors() {
    let server = TestServer::with_people();
    server
        .anonymous()
        .send("POST", "/integration", Some("{"))
        .assert_status(401);
    server
        .read_only_key()
        .send("POST", "/integration", Some("{"))
        .assert_status(403);
    server.anonymous().list("limit=0").assert_status(401);
}
