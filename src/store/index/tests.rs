//! Tests of what cannot be seen from outside: a commit and its index changes are published in one
//! step, and indexes stay within their memory budget.

use super::*;
use crate::{
    domain::{integration::SCHEMA, list::FieldPath},
    store::{
        Durability, INTEGRATIONS, Options, Store,
        change::{Change, ChangeKind},
        entries::Stored,
    },
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
        contention: None,
    };

    Store::open(folder, &options).unwrap()
}

fn account(number: usize) -> AccountId {
    AccountId::parse(&format!("acc_{number}")).unwrap()
}

fn field(name: &str) -> FieldPath {
    SCHEMA.resolve(name).unwrap()
}

/// Fields that no object has cost nothing, so one account could fill all memory with names.
#[test]
fn an_account_keeps_its_most_recently_used_fields() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 64 << 20);
    let wanted = field("type");
    let has = |field: &FieldPath| {
        store
            .current
            .acquire()
            .unwrap()
            .indexes
            .get_or_create(&(INTEGRATIONS.records, account(1)))
            .lock()
            .view_with(&[field])
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
    let bytes = store
        .current
        .acquire()
        .unwrap()
        .indexes
        .total
        .load(Ordering::Relaxed);
    assert!((64 * 128..64 * 1024).contains(&bytes), "{bytes}");
    store.close();
}

#[test]
fn all_indexes_together_stay_within_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 100_000);
    let replica = store.current.acquire().unwrap();
    let indexes = &replica.indexes;

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
}

#[test]
fn a_commit_is_not_visible_before_its_index_changes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1 << 20);
    let account = account(1);

    store.indexed(INTEGRATIONS, &account, &[]).unwrap().unwrap();
    let replica = store.current.acquire().unwrap();
    let indexes = &replica.indexes;
    let entry = indexes.get_or_create(&(INTEGRATIONS.records, account.clone()));
    let change = Change {
        collection: INTEGRATIONS,
        account,
        kind: ChangeKind::Delete(1),
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
}

fn record(meta: &serde_json::Value) -> Stored {
    let integration = serde_json::json!({"sid": "acc_1", "id": "int_1", "meta": meta, "tinyId": 1, "type": "webhook"});
    integration.to_string().into_bytes().into()
}

/// Applying one change took the writer seven seconds.
#[test]
fn fields_that_are_too_much_work_for_the_writer_are_dropped_and_others_stay() {
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
        kind: ChangeKind::Put(record(meta)),
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
        .current
        .acquire()
        .unwrap()
        .indexes
        .publish(&[change(&nested(1_000))], || ());
    assert!(known(&deep[0]) && known(&kind));

    // 60 nested values of 100 KB each.
    store
        .current
        .acquire()
        .unwrap()
        .indexes
        .publish(&[change(&nested(100_000))], || ());
    assert!(!known(&deep[0]) && known(&kind));

    let again = store.indexed(INTEGRATIONS, &account, &[&deep[0]]).unwrap();
    assert!(again.is_none(), "its lists read every object from now on");
    store.close();
}
