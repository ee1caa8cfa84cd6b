//! `POST /public/login`: user name and password for a token.

use crate::{
    callers::id,
    server::TestServer,
    users::{self, OURS, PASSWORD},
};
use pagertree_local::{
    domain::{
        ids::{AccountId, UserId},
        timestamp::Timestamp,
    },
    service::tokens::Tokens,
};
use serde_json::{Value, json};

const NOW: i64 = 1_524_787_370_419;

/// Header and claims of a token, unchecked, as a public client reads them.
fn read(token: &str) -> [Value; 2] {
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    [parts[0], parts[1]].map(|part| serde_json::from_slice(&base64url(part)).unwrap())
}

fn base64url(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sextets = text
        .bytes()
        .map(|byte| alphabet.iter().position(|known| *known == byte).unwrap());
    let bits: Vec<bool> = sextets
        .flat_map(|sextet| (0..6).rev().map(move |bit| sextet >> bit & 1 == 1))
        .collect();
    bits.chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit)))
        .collect()
}

#[test]
fn login_returns_only_a_token() {
    let server = TestServer::with_people();
    let answer = server.log_in("alice", PASSWORD).assert_status(200).json();
    assert_eq!(
        answer.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["token"]
    );
    server
        .account(answer["token"].as_str().unwrap())
        .created("x");
}

#[test]
fn token_is_an_hs256_jwt_with_four_claims() {
    let server = TestServer::at_with(NOW, users::declared);
    let [header, claims] = read(&server.token("alice"));
    assert_eq!(header["alg"], "HS256");
    let iat = NOW / 1000;
    assert_eq!(
        claims,
        json!({"id": "usr_alice", "sid": OURS, "iat": iat, "exp": iat + 86_400})
    );
}

#[test]
fn token_is_accepted_bare_and_as_bearer() {
    let server = TestServer::with_people();
    let token = server.token("alice");
    server.account(&token).created("x");
    assert_eq!(server.account(&format!("Bearer {token}")).names(""), ["x"]);
}

#[test]
fn expired_token_answers_401() {
    for people in [users::declared, |_: &mut _| {}] {
        let server = TestServer::at_with(NOW, people);
        let user = server.user();
        user.list("").assert_status(200);
        server.clock.set(NOW + 86_399_000);
        user.list("").assert_status(200);
        server.clock.set(NOW + 86_400_000);
        let answer = user
            .list("")
            .assert_error(401, &["The token has expired; log in again"]);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn token_of_another_signer_answers_401() {
    let server = TestServer::at_with(NOW, users::declared);
    let (user, account) = (
        UserId::parse("usr_alice").unwrap(),
        AccountId::parse(OURS).unwrap(),
    );
    let now = Timestamp::from_millis(NOW).unwrap();
    let forged = Tokens::new(b"another secret", "run")
        .issue(user, account, now, 60)
        .unwrap();
    let genuine = server.token("alice");
    let [head, claims, _] = genuine.split('.').collect::<Vec<_>>()[..] else {
        panic!("{genuine}")
    };

    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
    for token in [
        forged,
        unsigned,
        format!("{head}.{claims}."),
        format!("{head}.{claims}"),
        format!("{genuine}x"),
    ] {
        server
            .account(&token)
            .list("")
            .assert_error(401, &["The credential is not valid"]);
    }
}

#[test]
fn token_survives_a_restart() {
    let server = TestServer::on_disk_with(users::declared);
    let token = server.token("alice");
    let created = server.account(&token).created("x");
    let server = server.restart();
    server.account(&token).get(id(&created)).assert_status(200);
}

#[test]
fn wrong_password_and_unknown_user_get_the_same_401() {
    let server = TestServer::with_people();
    let unknown = server.log_in("mallory", PASSWORD);
    let wrong = server
        .log_in("alice", "guess")
        .assert_error(401, &["Wrong user name or password"]);
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer"));
    server.log_in("Alice", PASSWORD).assert_status(401);
    server.log_in("alice", "").assert_status(401);
}

#[test]
fn login_ignores_credentials() {
    let server = TestServer::with_people();
    let body = json!({"username": "alice", "password": PASSWORD}).to_string();
    server
        .account("wrong")
        .send("POST", "/public/login", Some(&body))
        .assert_status(200);
}

#[test]
fn login_reports_all_errors() {
    let server = TestServer::with_people();
    for (body, expected) in [
        (
            "{}",
            [
                "'username' is a required parameter",
                "'password' is a required parameter",
            ]
            .as_slice(),
        ),
        (
            r#"{"username":1,"password":null}"#,
            &["'username' must be a string", "'password' must not be null"],
        ),
        (
            r#"{"username":"alice"}"#,
            &["'password' is a required parameter"],
        ),
        ("[]", &["The body must be a JSON object, but is an array"]),
        ("", &["The body must be a JSON object, but is empty"]),
    ] {
        server
            .anonymous()
            .send("POST", "/public/login", Some(body))
            .assert_error(400, expected);
    }
}

#[test]
fn open_mode_accepts_any_login() {
    let server = TestServer::start();
    let alice = server.account(
        server.log_in("alice", "x").json()["token"]
            .as_str()
            .unwrap(),
    );

    alice.created("hers");
    let again = server.log_in("alice", "another password").json()["token"]
        .as_str()
        .unwrap()
        .to_owned();

    assert_eq!(
        server.account(&again).names(""),
        ["hers"],
        "the same name is the same account"
    );
    assert_eq!(server.account(&server.token("bob")).total(""), 0);
}

#[test]
fn open_mode_token_creates_objects_under_its_sid() {
    let server = TestServer::start();
    let token = server.token("alice");
    let [_, claims] = read(&token);
    assert_eq!(server.account(&token).created("x")["sid"], claims["sid"]);
    assert!(claims["id"].as_str().unwrap().starts_with("usr_"));
}

#[test]
fn excess_logins_of_one_name_answer_429() {
    let server = TestServer::with(|settings| {
        users::declared(settings);
        settings.limits.logins_per_minute = 1;
    });
    server.log_in("alice", "guess").assert_status(401);
    let refused = server
        .log_in("alice", PASSWORD)
        .assert_error(429, &["Too many login attempts"]);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    server.log_in("bob", PASSWORD).assert_status(200);
}
