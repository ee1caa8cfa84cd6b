//! A clock that jumps, a day back or forth: order, times, tokens, keys and limits stay what they
//! promise to be.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

/// 2018-04-27T00:02:50.419Z
const START: i64 = 1_524_787_370_419;
const DAY: i64 = 86_400_000;

fn time<'a>(object: &'a Value, attribute: &str) -> &'a str {
    object[attribute].as_str().unwrap()
}

/// Everything there is, whose every page must agree with it.
fn all(account: &Caller) -> Vec<Value> {
    let list = account.list("limit=100").json();
    let objects = list["data"].as_array().unwrap().clone();
    for (position, object) in objects.iter().enumerate() {
        assert_eq!(
            account.list(&format!("limit=1&offset={position}")).json()["data"],
            json!([object])
        );
        assert!(
            time(object, "updatedAt") >= time(object, "createdAt"),
            "{object}"
        );
    }

    assert_eq!(list["total_count"], objects.len());
    objects
}

#[test]
fn lists_keep_creation_order_across_clock_jumps() {
    let server = TestServer::at(START);
    let account = server.account("ops");
    for jump in [0, -DAY, 1, DAY, -365 * DAY, 0] {
        server.clock.set(START + jump);
        let created = account.created("x");
        account
            .update(id(&created), json!({"name": "y"}))
            .assert_status(200);
    }

    let objects = all(&account);
    let numbers: Vec<_> = objects
        .iter()
        .map(|object| object["tinyId"].as_u64().unwrap())
        .collect();

    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    for attribute in ["createdAt", "updatedAt"] {
        let mut expected = objects.clone();
        expected.sort_by_key(|object| time(object, attribute).to_owned());
        assert_eq!(
            account.list(&format!("sort={attribute}")).json()["data"],
            json!(expected)
        );

        let until = time(&objects[1], attribute);
        assert_eq!(
            account.total(&format!("{attribute}={until}&ops={attribute}:lte")),
            2,
            "of a day ago, and of a year ago"
        );
    }
}

#[test]
fn updated_at_never_decreases_across_clock_jumps() {
    let server = TestServer::at(START);
    let account = server.account("ops");
    let created = account.created("x");
    let mut last = time(&created, "updatedAt").to_owned();

    for (round, jump) in [-DAY, DAY, 0, -DAY, 2 * DAY, i64::MIN / 2, i64::MAX / 4]
        .into_iter()
        .enumerate()
    {
        server.clock.set(START + jump);
        let updated = account
            .update(id(&created), json!({"meta": {"round": round}}))
            .assert_status(200)
            .json();

        assert!(
            time(&updated, "updatedAt") > last.as_str(),
            "{updated} after {last}"
        );
        assert_eq!(updated["createdAt"], created["createdAt"]);
        last = time(&updated, "updatedAt").to_owned();
        assert_eq!(all(&account), [updated]);
    }
}

#[test]
fn objects_can_be_updated_at_the_maximum_timestamp() {
    let last = "9999-12-31T23:59:59.999Z";
    let server = TestServer::at(253_402_300_799_999);
    let account = server.account("ops");
    let created = account.created("x");

    server.clock.set(START);
    for name in ["a", "b"] {
        let updated = account
            .update(id(&created), json!({"name": name}))
            .assert_status(200)
            .json();
        assert_eq!(
            (time(&updated, "updatedAt"), &updated["name"]),
            (last, &json!(name))
        );
        assert_eq!(all(&account), [updated]);
    }
}

#[test]
fn token_stays_valid_when_the_clock_jumps_back() {
    let server = TestServer::at(START);
    let user = server.user();
    server.clock.set(START - DAY);
    user.list("").assert_status(200);

    let later = server.user();
    server.clock.set(START - 1_000);
    later.list("").assert_status(200);
    server.clock.set(START);
    later
        .list("")
        .assert_error(401, &["The token has expired; log in again"]);
    user.list("").assert_status(200);
    server.clock.set(START + DAY);
    user.list("")
        .assert_error(401, &["The token has expired; log in again"]);
}

#[test]
fn idempotency_key_is_kept_when_the_clock_jumps_back() {
    let server = TestServer::at(START);
    let ops = server.account("ops").with("Idempotency-Key", "k1");
    let body = json!({"name": "x", "type": "email", "destination_ids": []});
    let first = ops.create(body.clone()).assert_status(200).json();

    for jump in [-DAY, -365 * DAY, DAY - 1] {
        server.clock.set(START + jump);
        assert_eq!(ops.create(body.clone()).assert_status(200).json(), first);
        // What is remembered meanwhile takes nothing with it that is not due.
        let other = format!("other {jump}");
        server
            .account("ops")
            .with("Idempotency-Key", &other)
            .create(body.clone())
            .assert_status(200);
    }

    server.clock.set(START + DAY);
    assert_ne!(
        ops.create(body).assert_status(200).json()["id"],
        first["id"]
    );
}

#[test]
fn rate_limits_are_unaffected_by_clock_jumps() {
    let server = TestServer::at_with(START, |settings| settings.limits.requests_per_minute = 1);
    let ops = server.account("ops");
    ops.list("").assert_status(200);

    for jump in [DAY, -DAY, 0] {
        server.clock.set(START + jump);
        let refused = ops
            .list("")
            .assert_error(429, &["Too many requests of this account"]);
        let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        server
            .account(&format!("new at {jump}"))
            .list("")
            .assert_status(200);
    }
}
