//! `Idempotency-Key`: a create that is sent twice happens once, and 409 when the second is another
//! request.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::{Value, json};
use std::thread;

const DAY: i64 = 86_400_000;

fn named(name: &str) -> Value {
    json!({"name": name, "type": "email", "destination_ids": []})
}

fn keyed(caller: &Caller, key: &str) -> Caller {
    caller.with("Idempotency-Key", key)
}

fn total(caller: &Caller) -> Value {
    caller.list("").json()["total_count"].clone()
}

#[test]
fn repeated_create_gets_the_first_response() {
    let server = TestServer::start();
    let ops = server.account("ops");
    let first = keyed(&ops, "k1").create(named("a")).assert_status(200);
    let again = keyed(&ops, "k1")
        .create(json!({"type": "email", "destination_ids": [], "name": "a"}))
        .assert_status(200);
    assert_eq!(first.json(), again.json());
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(total(&ops), 1);
}

#[test]
fn key_reused_for_another_request_answers_409() {
    let server = TestServer::start();
    let ops = server.account("ops");
    keyed(&ops, "k1").create(named("a")).assert_status(200);
    keyed(&ops, "k1")
        .create(named("b"))
        .assert_error(409, &["'k1' was already used for a different request"]);
    assert_eq!(total(&ops), 1);
}

#[test]
fn keys_are_scoped_to_their_account() {
    let server = TestServer::start();
    let (ops, dev) = (server.account("ops"), server.account("dev"));
    let first = keyed(&ops, "k1").create(named("a")).json();

    assert_ne!(
        keyed(&dev, "k1").create(named("a")).json()["id"],
        first["id"]
    );
    assert_ne!(
        keyed(&ops, "k2").create(named("a")).json()["id"],
        first["id"]
    );
    assert_eq!((total(&ops), total(&dev)), (json!(2), json!(1)));
}

#[test]
fn key_expires_after_a_day() {
    let server = TestServer::at(0);
    let ops = server.account("ops");
    keyed(&ops, "k1").create(named("a")).assert_status(200);
    server.clock.set(DAY - 1);
    keyed(&ops, "k1").create(named("b")).assert_status(409);
    server.clock.set(DAY);
    keyed(&ops, "k1").create(named("b")).assert_status(200);
    keyed(&ops, "k1").create(named("c")).assert_status(409);
    assert_eq!(total(&ops), 2);
}

#[test]
fn key_survives_a_restart() {
    let server = TestServer::on_disk();
    let first = keyed(&server.account("ops"), "k1")
        .create(named("a"))
        .json();
    let server = server.restart();
    assert_eq!(
        keyed(&server.account("ops"), "k1")
            .create(named("a"))
            .json(),
        first
    );
}

#[test]
fn refused_create_does_not_use_up_its_key() {
    let server = TestServer::start();
    let ops = server.account("ops");
    keyed(&ops, "k1")
        .create(json!({"name": "a"}))
        .assert_status(400);
    keyed(&ops, "k1").create(named("a")).assert_status(200);
}

#[test]
fn malformed_key_answers_400() {
    let server = TestServer::start();
    keyed(&server.account("ops"), &"x".repeat(256))
        .create(named("a"))
        .assert_error(400, &["1 to 255"]);
}

#[test]
fn concurrent_repeats_create_once() {
    let server = TestServer::start();
    let ops = server.account("ops");
    let senders: Vec<_> = (0..16)
        .map(|_| {
            let sender = keyed(&ops, "k1");
            thread::spawn(move || sender.create(named("a")).assert_status(200).json())
        })
        .collect();
    let answers: Vec<_> = senders
        .into_iter()
        .map(|sender| sender.join().unwrap())
        .collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(total(&ops), 1);
}

fn create_alert(caller: &Caller, body: Value) -> Response {
    caller.send("POST", "/alert", Some(&body.to_string()))
}

#[test]
fn repeated_create_of_an_alert_gets_the_first_response() {
    let server = TestServer::start();
    let ops = server.account("ops");
    let source = ops.created("a");
    let body = json!({"title": "t", "source_id": id(&source), "thirdparty_id": "x"});
    let first = create_alert(&keyed(&ops, "k1"), body.clone()).assert_status(200);
    let again = create_alert(&keyed(&ops, "k1"), body.clone()).assert_status(200);

    assert_eq!(first.text, again.text);
    assert_eq!(first.header("location"), again.header("location"));
    let other = json!({"title": "u", "destination_ids": []});

    create_alert(&keyed(&ops, "k1"), other.clone())
        .assert_error(409, &["'k1' was already used for a different request"]);
    create_alert(&keyed(&ops, "k2"), body.clone()).assert_error(409, &["is still active"]);
    create_alert(&keyed(&ops, "k2"), other.clone()).assert_status(200);
    create_alert(&keyed(&ops, ""), other)
        .assert_error(400, &["'Idempotency-Key' must have 1 to 255"]);

    // What became of alert and integration since does not matter.
    ops.send("DELETE", first.header("location").unwrap(), None)
        .assert_status(204);
    ops.delete(id(&source)).assert_status(204);
    assert_eq!(
        create_alert(&keyed(&ops, "k1"), body)
            .assert_status(200)
            .text,
        first.text
    );
    assert_eq!(ops.send("GET", "/alert", None).json()["total_count"], 1);
}

#[test]
fn key_reused_on_another_route_answers_409() {
    let server = TestServer::start();
    let ops = server.account("ops");
    let both = json!({"name": "a", "type": "email", "title": "a", "destination_ids": []});
    keyed(&ops, "k1").create(both.clone()).assert_status(200);
    create_alert(&keyed(&ops, "k1"), both.clone())
        .assert_error(409, &["'k1' was already used for a different request"]);
    create_alert(&keyed(&ops, "k2"), both.clone()).assert_status(200);
    keyed(&ops, "k2")
        .create(both)
        .assert_error(409, &["'k2' was already used for a different request"]);
}

/// Nothing but later creates with a key removed old answers.
#[test]
fn expired_keys_are_removed_without_another_create() {
    let server = TestServer::at_with(0, |settings| {
        settings.retention.log_days = 1;
        settings.retention.sweep_seconds = 1;
    });

    let ops = server.account("ops");
    let first = keyed(&ops, "k1")
        .create(named("a"))
        .assert_status(200)
        .json();
    let event = r#"{"subject":"It broke"}"#;

    server
        .anonymous()
        .send("POST", &format!("/integration/{}", id(&first)), Some(event))
        .assert_status(200);
    server.clock.set(2 * DAY);

    // Logs are swept after answers.
    while ops.send("GET", "/log", None).json()["total_count"] != 0 {
        thread::yield_now();
    }

    // A day ago it would have been known.
    server.clock.set(0);
    assert_ne!(
        keyed(&ops, "k1")
            .create(named("a"))
            .assert_status(200)
            .json()["id"],
        first["id"]
    );
}
