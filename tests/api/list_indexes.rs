//! Lists that are answered from indexes: they agree with the objects at every moment, with any
//! memory, and forget nothing.

use crate::{
    callers::{Caller, encoded, id},
    server::TestServer,
};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

/// With indexes, with room for hardly any, and without.
const MEMORIES: [u64; 3] = [64 << 20, 20_000, 0];

fn with_memory(index_bytes: u64) -> TestServer {
    TestServer::with(|settings| {
        settings.store.index_bytes = index_bytes;
        // Each answer is found out anew.
        settings.store.list_cache_bytes = 0;
    })
}

fn create(account: &Caller, number: usize) -> Value {
    let urgency = ["low", "medium", "high"][number % 3];
    let body = json!({
        "name": format!("number {number:04}"), "type": "email", "destination_ids": [], "enabled": number.is_multiple_of(2),
        "urgency": urgency, "meta": {"half": number / 2, "text": "x".repeat(50)},
    });
    account.created_from(body)
}

#[test]
fn indexed_list_matches_its_objects_during_changes() {
    for memory in MEMORIES {
        let server = with_memory(memory);
        let account = server.account("ops");
        let objects: Vec<Value> = (0..60).map(|number| create(&account, number)).collect();
        let (done, looks) = (AtomicBool::new(false), AtomicUsize::new(0));

        thread::scope(|scope| {
            for writer in 0..3 {
                let (account, objects, done, looks) = (&account, &objects, &done, &looks);
                scope.spawn(move || {
                    for round in 0_usize.. {
                        let object = &objects[(round * 7 + writer * 20) % objects.len()];
                        let urgency = ["low", "medium", "high"][round % 3];
                        let change =
                            json!({"enabled": round.is_multiple_of(2), "urgency": urgency, "name": format!("round {round}")});
                        account.update(id(object), change).assert_status(200);
                        let passing = create(account, round);
                        account.delete(id(&passing)).assert_status(204);
                        if looks.load(Ordering::SeqCst) >= 120 {
                            break;
                        }
                    }

                    done.store(true, Ordering::SeqCst);
                });
            }

            for query in [
                "enabled=true",
                "urgency=high",
                "name=round&ops=name:beginsWith",
                "enabled=false&sort=-urgency",
            ] {
                let (account, done, looks) = (&account, &done, &looks);
                scope.spawn(move || {
                    while !done.load(Ordering::SeqCst) {
                        assert_agrees(account, query);
                        looks.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });

        assert_eq!(account.total(""), 60);
        let of_each = |query: &str| account.total(query);
        assert_eq!(
            of_each("enabled=true") + of_each("enabled=false"),
            60,
            "every object has one value of the two"
        );
    }
}

/// Every object of the list is what was asked for, none is there twice, and the total is their
/// number.
#[track_caller]
fn assert_agrees(account: &Caller, query: &str) {
    let list = account
        .list(&format!("{query}&limit=100"))
        .assert_status(200)
        .json();
    let objects = list["data"].as_array().unwrap();

    assert_eq!(list["total_count"], objects.len(), "{query}");
    let mut numbers: Vec<_> = objects
        .iter()
        .map(|object| object["tinyId"].as_u64().unwrap())
        .collect();

    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), objects.len(), "{query}: listed twice");

    for object in objects {
        let fits = match query {
            "enabled=true" => object["enabled"] == true,
            "urgency=high" => object["urgency"] == "high",
            "enabled=false&sort=-urgency" => object["enabled"] == false,
            _ => object["name"].as_str().unwrap().starts_with("round"),
        };
        assert!(fits, "{query}: {object}");
    }
}

#[test]
fn pages_are_equal_with_any_index_memory() {
    let servers = MEMORIES.map(with_memory);
    // More different names than a bitmap for each would be kept.
    let accounts = servers.each_ref().map(|server| {
        let account = server.account("ops");
        let objects: Vec<Value> = (0..150).map(|number| create(&account, number)).collect();
        for object in objects.iter().step_by(7) {
            account.delete(id(object)).assert_status(204);
        }
        account
    });

    let queries = [
        "offset=110&limit=5",
        "offset=120&limit=100",
        "offset=128&limit=1",
        "offset=4000",
        "sortdirection=DESC&offset=115",
        "sort=enabled&offset=60",
        "sort=-enabled,name&offset=3",
        "sort=urgency&sortdirection=DESC&offset=100",
        "sort=name&offset=127",
        "sort=meta.half",
        "sort=-meta.half&enabled=true&offset=20",
        "sort=destination_ids&offset=101",
        "sort=-options.none",
        "enabled=false&urgency=low",
        "urgency=low&ops=urgency:ne&offset=30",
        "meta.half=10..30&ops=meta.half:between",
        "name=number 00&ops=name:beginsWith",
        "name=4&ops=name:contains&sortdirection=DESC",
        "meta.none=1&ops=meta.none:ne",
        "meta.none=1",
        "type=webhook",
        "enabled=true&sort=-tinyId&offset=40",
        "tinyId=100&ops=tinyId:gt",
    ];

    for query in queries {
        let query = query.replace("number 00", &encoded("number 00"));
        // Twice: an index is built, and used.
        let answers = accounts
            .each_ref()
            .map(|account| (shown(account, &query), shown(account, &query)));
        let expected = &answers[2].0;
        for (first, again) in &answers {
            assert_eq!((first, again), (expected, expected), "{query}");
        }
    }
}

/// What does not differ from server to server.
fn shown(account: &Caller, query: &str) -> (Vec<Value>, Value) {
    let list = account.list(query).assert_status(200).json();
    (
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| object["tinyId"].clone())
            .collect(),
        list["total_count"].clone(),
    )
}

#[test]
fn index_memory_is_shared_between_accounts() {
    let server = with_memory(30_000);
    let accounts: Vec<Caller> = (0..40)
        .map(|number| server.account(&format!("account {number}")))
        .collect();

    for account in &accounts {
        for number in 0..4 {
            create(account, number);
        }
    }

    for round in 0..3 {
        for account in &accounts {
            assert_eq!(
                account.total("enabled=true&name=number&ops=name:contains"),
                2 + round
            );
            create(account, 0);
        }
    }
}
