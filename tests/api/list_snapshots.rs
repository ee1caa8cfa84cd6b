//! Lists while others write: what lived through the whole request is there, once and not older than
//! it was; what was deleted before is not; and the total is the number of what is shown.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// With indexes and remembered lists, with indexes, with room for hardly any, and without.
const MEMORIES: [(u64, u64); 4] = [(64 << 20, 16 << 20), (64 << 20, 0), (20_000, 0), (0, 0)];

/// Objects that stay, and the version that each was last acknowledged with.
struct Lasting(Vec<(String, AtomicUsize)>);

const LASTING: usize = 24;
const WRITERS: usize = 3;
const LOOKS: usize = 50;

/// Everything that is written matches all of them, in an order that changes with every write.
const QUERIES: [&str; 5] = [
    "",
    "enabled=true",
    "type=email&sort=-updatedAt",
    "sort=meta.order,name",
    "meta.order=0&ops=meta.order:gte&sortdirection=DESC",
];

fn body(version: usize) -> Value {
    // Scattered, so that every write moves its object within the order.
    json!({ "name": format!("version {version}"), "meta": { "version": version, "order": version * 37 % 101 } })
}

fn create(account: &Caller) -> String {
    let mut all = body(0);
    all["type"] = json!("email");
    all["destination_ids"] = json!([]);
    id(&account.created_from(all)).to_owned()
}

/// Changes the lasting ones of its part in turn, and makes others that pass.
fn write(
    account: &Caller,
    part: &[(String, AtomicUsize)],
    passed: &Mutex<BTreeSet<String>>,
    done: &AtomicBool,
) {
    for round in 0_usize.. {
        if done.load(Ordering::SeqCst) {
            break;
        }
        let (id, acknowledged) = &part[round % part.len()];
        let version = acknowledged.load(Ordering::SeqCst) + 1;
        account.update(id, body(version)).assert_status(200);
        acknowledged.store(version, Ordering::SeqCst);
        let passing = create(account);
        account.delete(&passing).assert_status(204);
        passed.lock().unwrap().insert(passing);
    }
}

fn look(account: &Caller, query: &str, lasting: &Lasting, passed: &Mutex<BTreeSet<String>>) {
    let before: Vec<usize> = lasting
        .0
        .iter()
        .map(|(_, version)| version.load(Ordering::SeqCst))
        .collect();
    let gone = passed.lock().unwrap().clone();
    let list = account.list(&format!("limit=100&{query}")).json();
    let objects = list["data"].as_array().unwrap();
    let ids: BTreeSet<&str> = objects.iter().map(id).collect();
    assert_eq!(ids.len(), objects.len(), "{query}: listed twice");
    assert_eq!(list["total_count"], objects.len(), "{query}");
    assert_eq!(list["has_more"], false, "{query}");
    assert!(
        !ids.iter().any(|id| gone.contains(*id)),
        "{query}: was deleted before"
    );

    for ((lasting, after), before) in lasting.0.iter().zip(before) {
        let object = objects.iter().find(|object| id(object) == lasting);
        let object = object.unwrap_or_else(|| panic!("{query}: {lasting} is left out of {ids:?}"));
        let version = object["meta"]["version"].as_u64().unwrap() as usize;

        // One more may be written and not acknowledged yet.
        let newest = after.load(Ordering::SeqCst) + 1;
        assert!(
            (before..=newest).contains(&version),
            "{query}: {version} is not in {before}..={newest}"
        );
        assert_eq!(
            object["name"],
            format!("version {version}"),
            "{query}: half of a write"
        );
    }
}

#[test]
fn list_is_a_consistent_snapshot() {
    for (index_bytes, list_cache_bytes) in MEMORIES {
        let server = TestServer::with(|settings| {
            (settings.store.index_bytes, settings.store.list_cache_bytes) =
                (index_bytes, list_cache_bytes);
            settings.workers = 2;
        });

        let account = &server.account("ops");
        let lasting = &Lasting(
            (0..LASTING)
                .map(|_| (create(account), AtomicUsize::new(0)))
                .collect(),
        );
        let (passed, done) = (&Mutex::new(BTreeSet::new()), &AtomicBool::new(false));

        thread::scope(|scope| {
            for part in lasting.0.chunks(LASTING / WRITERS) {
                scope.spawn(move || write(account, part, passed, done));
            }

            let readers = QUERIES.map(|query| {
                scope.spawn(move || (0..LOOKS).for_each(|_| look(account, query, lasting, passed)))
            });

            let outcomes = readers.map(|reader| reader.join());
            done.store(true, Ordering::SeqCst);
            assert!(
                outcomes.iter().all(Result::is_ok),
                "with {index_bytes} and {list_cache_bytes} bytes"
            );
        });

        assert_eq!(account.total(""), LASTING as u64);
    }
}
