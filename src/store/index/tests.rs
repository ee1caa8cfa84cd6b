//! Tests of what cannot be seen from outside: that a commit and what is known of it are published
//! in one step, and what is known takes no more memory than it may.

use super::*;
use crate::{
    domain::integration::SCHEMA,
    store::{Durability, INTEGRATIONS, Options, Store},
};
use std::path::Path;

fn open(folder: &Path, index_bytes: u64) -> Store {
    let durability = Durability::Ephemeral;
    let token_secret = Some("secret".into());
    let (cache_bytes, snapshot_bytes) = (1 << 20, 1 << 30);
    let options = Options {
        cache_bytes,
        index_bytes,
        snapshot_bytes,
        queue: 1,
        batch: 1,
        durability,
        token_secret,
    };

    Store::open(folder, &options).unwrap()
}

fn account(number: usize) -> AccountId {
    AccountId::parse(&format!("acc_{number}")).unwrap()
}

fn field(name: &str) -> FieldPath {
    SCHEMA.resolve(name).unwrap()
}

/// Names of fields that no object has cost nothing, so that one account could take all memory.
#[test]
fn of_one_account_so_many_places_are_known_and_the_last_used_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 64 << 20);
    let wanted = field("type");
    let has = |field: &FieldPath| {
        store
            .replica
            .indexes
            .entry(&(INTEGRATIONS.records, account(1)))
            .lock()
            .indexed(&[field], || store.snapshot())
            .unwrap()
            .is_some()
    };

    store
        .indexed(INTEGRATIONS, &account(1), &[&wanted])
        .unwrap()
        .unwrap();

    for number in 0..200 {
        store
            .indexed(
                INTEGRATIONS,
                &account(1),
                &[&field(&format!("meta.{number}"))],
            )
            .unwrap()
            .unwrap();
        assert!(has(&wanted), "after {number}");
    }

    assert!(!has(&field("meta.0")) && has(&field("meta.199")));
    let bytes = store.replica.indexes.total.load(Ordering::Relaxed);
    assert!((64 * 128..64 * 1024).contains(&bytes), "{bytes}");
    store.close();
}

#[test]
fn what_all_accounts_take_is_known_and_stays_below_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 100_000);
    let indexes = &store.replica.indexes;

    for number in 0..500 {
        store
            .indexed(INTEGRATIONS, &account(number), &[&field("type")])
            .unwrap()
            .unwrap();
        let accounts = indexes.accounts.read().unwrap();
        let sum: usize = accounts
            .values()
            .map(|entry| entry.bytes.load(Ordering::Relaxed))
            .sum();
        assert_eq!(indexes.total.load(Ordering::Relaxed), sum);
        assert!(sum <= 100_000 && accounts.contains_key(&(INTEGRATIONS.records, account(number))));
    }

    indexes.clear();
    assert_eq!(indexes.total.load(Ordering::Relaxed), 0);
    store.close();
}

#[test]
fn nobody_sees_a_commit_that_an_index_does_not_know_yet() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 20);
    let account = account(1);

    store.indexed(INTEGRATIONS, &account, &[]).unwrap().unwrap();
    let indexes = &store.replica.indexes;
    let entry = indexes.entry(&(INTEGRATIONS.records, account.clone()));
    let change = Change {
        collection: INTEGRATIONS,
        account,
        tiny_id: 1,
        record: None,
    };

    let mut published = false;
    indexes.publish(&[change], || {
        assert!(
            entry.state.try_lock().is_err(),
            "a reader could take a view between the two"
        );
        published = true;
    });

    assert!(published && entry.state.try_lock().is_ok());
    store.close();
}

/// What was built of a store that is gone was shown once with the new one, and its bytes were
/// counted for ever.
#[test]
fn an_index_that_is_built_while_everything_is_forgotten_is_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 20);
    let (account, field) = (account(1), field("type"));
    let indexes = &store.replica.indexes;
    let taken = AtomicUsize::new(0);
    let snapshot = || {
        if taken.fetch_add(1, Ordering::Relaxed) == 0 {
            indexes.clear();
        }
        store.snapshot()
    };

    let indexed = indexes
        .get_or_build(INTEGRATIONS, &account, &[&field], snapshot)
        .unwrap();

    assert!(indexed.is_some());
    assert_eq!(
        taken.load(Ordering::Relaxed),
        3,
        "one for each time that it was built, and one for the answer"
    );

    let kept = indexes.entry(&(INTEGRATIONS.records, account));
    assert!(
        kept.lock().view.is_some(),
        "the answer's index is the one that is kept up"
    );
    assert_eq!(
        indexes.total.load(Ordering::Relaxed),
        kept.bytes.load(Ordering::Relaxed)
    );
    store.close();
}

fn record(meta: &serde_json::Value) -> Stored {
    let integration = serde_json::json!({"sid": "acc_1", "id": "int_1", "meta": meta, "tinyId": 1, "type": "webhook"});
    integration.to_string().into_bytes().into()
}

/// To follow one change took the writer seven seconds.
#[test]
fn places_whose_values_are_too_much_work_for_the_writer_are_given_up_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 64 << 20);
    let (account, kind) = (account(1), field("type"));
    let deep: Vec<FieldPath> = (1..60)
        .map(|depth| field(&format!("meta.{}", vec!["a"; depth].join("."))))
        .collect();
    let fields: Vec<&FieldPath> = deep.iter().chain([&kind]).collect();

    store
        .indexed(INTEGRATIONS, &account, &fields)
        .unwrap()
        .unwrap();

    let change = |meta: &serde_json::Value| Change {
        collection: INTEGRATIONS,
        account: account.clone(),
        tiny_id: 1,
        record: Some(record(meta)),
    };

    let nested = |filling: usize| {
        let text = format!(
            "{}\"{}\"{}",
            r#"{"a":"#.repeat(60),
            "x".repeat(filling),
            "}".repeat(60)
        );
        serde_json::from_str(&text).unwrap()
    };

    let known = |field: &FieldPath| {
        store
            .cached_index(INTEGRATIONS, &account, &[field])
            .unwrap()
            .is_some()
    };

    store
        .replica
        .indexes
        .publish(&[change(&nested(1_000))], || ());
    assert!(known(&deep[0]) && known(&kind));

    // 60 values of 100 KB each, which stand in each other.
    store
        .replica
        .indexes
        .publish(&[change(&nested(100_000))], || ());
    assert!(!known(&deep[0]) && known(&kind));

    let again = store.indexed(INTEGRATIONS, &account, &[&deep[0]]).unwrap();
    assert!(again.is_none(), "its lists read every object from now on");
    store.close();
}
