//! Many clients at once, and a restart: nothing is lost, doubled or seen half done.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

#[test]
fn concurrent_creates_get_gapless_unique_tiny_ids() {
    let server = TestServer::on_disk();
    let account = server.account("ops");
    let create = || {
        (0..4)
            .map(|_| account.created("x")["tinyId"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };

    let mut numbers: Vec<u64> = thread::scope(|scope| {
        let clients: Vec<_> = (0..64).map(|_| scope.spawn(create)).collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    });

    numbers.sort_unstable();
    assert_eq!(numbers, (1..=256).collect::<Vec<_>>());
    assert_eq!(account.total(""), 256);
}

/// What an attribute is in a round.
type ValueOf = fn(usize) -> Value;

#[test]
fn concurrent_partial_updates_lose_nothing() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let rounds = 20;
    let changes: [(&str, ValueOf); 7] = [
        ("meta", |round| json!({"round": round})),
        ("name", |round| json!(format!("round {round}"))),
        ("type", |round| json!(format!("round_{round}"))),
        ("enabled", |round| json!(round % 2 == 0)),
        ("urgency", |round| {
            json!(["low", "medium", "high", "critical"][round % 4])
        }),
        ("destination_ids", |round| json!([format!("tem_{round}")])),
        ("options", |round| json!({"round": round})),
    ];
    thread::scope(|scope| {
        for (attribute, value) in changes {
            let (account, created) = (&account, &created);
            scope.spawn(move || {
                for round in 1..=rounds {
                    let updated = account
                        .update(id(created), json!({ attribute: value(round) }))
                        .assert_status(200);
                    assert_eq!(updated.json()[attribute], value(round));
                }
            });
        }
    });

    let last = account.get(id(&created)).json();
    for (attribute, value) in changes {
        assert_eq!(last[attribute], value(rounds), "{attribute}");
    }
}

#[test]
fn one_of_many_concurrent_deletes_succeeds() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| account.delete(id(&created)).status))
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });

    assert_eq!(
        statuses.iter().filter(|status| **status == 204).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 404).count(),
        15,
        "{statuses:?}"
    );
    assert_eq!(account.total(""), 0);
}

/// What every list must be while others write: its total is that of its data, and its order that of
/// creation.
fn assert_whole(account: &Caller, query: &str) -> Vec<u64> {
    let list = account
        .list(&format!("limit=100{query}"))
        .assert_status(200)
        .json();
    let numbers: Vec<u64> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["tinyId"].as_u64().unwrap())
        .collect();
    assert_eq!(list["total_count"], numbers.len());
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");

    numbers
}

#[test]
fn lists_are_consistent_during_writes() {
    let server = TestServer::start();
    let account = server.account("ops");
    let done = AtomicBool::new(false);

    thread::scope(|scope| {
        for query in ["", "&enabled=true", "&sort=sid"] {
            let (account, done) = (&account, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    assert_whole(account, query);
                }
            });
        }

        let writer = || {
            for _ in 0..60 {
                let created = account.created("x");
                account.delete(id(&created)).assert_status(204);
            }
        };

        let writers: Vec<_> = (0..3).map(|_| scope.spawn(writer)).collect();
        let outcomes: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_ok));
    });

    assert_eq!(account.total(""), 0);
}

#[test]
fn writes_become_visible_in_order() {
    let server = TestServer::start();
    let account = server.account("ops");
    thread::scope(|scope| {
        let writer = scope.spawn(|| (0..80).for_each(|_| drop(account.created("x"))));
        let mut seen = 0;
        while !writer.is_finished() {
            let numbers = assert_whole(&account, "");
            assert_eq!(
                numbers,
                (1..=numbers.len() as u64).collect::<Vec<_>>(),
                "a later one before an earlier one"
            );
            assert!(numbers.len() >= seen, "what was seen stays");
            seen = numbers.len();
        }
    });

    assert_eq!(assert_whole(&account, "").len(), 80);
}

#[test]
fn read_after_write_is_consistent_for_all_clients() {
    let server = TestServer::start();
    let account = server.account("ops");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let reader = server.account("ops");
                for round in 0..10 {
                    let created = account.created("x");
                    assert_eq!(reader.get(id(&created)).assert_status(200).json(), created);
                    let name = format!("round {round}");
                    account
                        .update(id(&created), json!({"name": name}))
                        .assert_status(200);
                    assert_eq!(reader.get(id(&created)).json()["name"], name);
                    account.delete(id(&created)).assert_status(204);
                    reader.get(id(&created)).assert_status(404);
                }
            });
        }
    });
}

#[test]
fn everything_survives_a_restart() {
    let server = TestServer::on_disk();
    let account = server.account("ops");
    let created: Vec<_> = (0..12)
        .map(|number| account.created(&format!("n{number}")))
        .collect();

    account
        .update(id(&created[3]), json!({"meta": {"b": 1.50, "a": 2}}))
        .assert_status(200);
    account.delete(id(&created[5])).assert_status(204);

    let before = [
        "limit=100",
        "sort=-name&limit=4",
        "name=n&ops=name:beginsWith",
    ]
    .map(|query| account.list(query).text);
    let server = server.restart();
    let account = server.account("ops");
    let after = [
        "limit=100",
        "sort=-name&limit=4",
        "name=n&ops=name:beginsWith",
    ]
    .map(|query| account.list(query).text);
    assert_eq!(before, after);
    account.get(id(&created[5])).assert_status(404);
}

#[test]
fn request_answered_4xx_changes_nothing() {
    let server = TestServer::with_people();
    let (account, reader) = (server.key(), server.read_only_key());
    let created = account.created("x");
    let before = account.list("").text;
    let path = format!("/integration/{}", id(&created));
    let statuses: BTreeSet<u16> = [
        account.update(id(&created), json!({"name": "y", "type": ""})),
        account.send("PUT", &path, Some(r#"{"name":"y""#)),
        account
            .with("Content-Type", "text/plain")
            .send("PUT", &path, Some(r#"{"name":"y"}"#)),
        account.send("PATCH", &path, Some(r#"{"name":"y"}"#)),
        account
            .with("X-Strict", "true")
            .update(id(&created), json!({"name": "y", "colour": "red"})),
        reader.update(id(&created), json!({"name": "y"})),
        reader.delete(id(&created)),
        server.stranger().delete(id(&created)),
        server.anonymous().delete(id(&created)),
        account.create(json!({"name": "y"})),
    ]
    .iter()
    .map(|answer| answer.status)
    .collect();
    assert_eq!(statuses, BTreeSet::from([400, 401, 403, 404, 405, 415]));
    assert_eq!(account.list("").text, before);
}
