//! Tests of what cannot be seen from outside: that a commit and what is known of it are published in one step, and what
//! the places that are known cost.

use super::{view::PLACES, *};
use crate::{
    domain::{integration::SCHEMA, list::ListQuery},
    store::{Durability, INTEGRATIONS, Options, Store},
};

/// An empty store, and an account in it.
fn store(folder: &tempfile::TempDir) -> (Store, AccountId) {
    let durability = Durability::Ephemeral;
    let options = Options {
        cache_bytes: 1 << 20,
        index_bytes: 1 << 20,
        queue: 1,
        batch: 1,
        durability,
        token_secret: Some("secret".into()),
    };
    (Store::open(folder.path(), &options).unwrap(), AccountId::parse("acc_1").unwrap())
}

fn place(name: &str) -> Place {
    let query = ListQuery::parse(SCHEMA, &format!("meta.{name}=1")).unwrap();
    query.filters.iter().next().unwrap().place().clone()
}

#[test]
fn places_that_were_not_asked_for_longest_leave() {
    let folder = tempfile::tempdir().unwrap();
    let (store, account) = store(&folder);
    let used = place("used");
    let knows = |place: &Place| store.indexed_before(INTEGRATIONS, &account, &[place]).unwrap().is_some();
    store.indexed(INTEGRATIONS, &account, &[&used]).unwrap().unwrap();
    for number in 0..3 * PLACES {
        store.indexed(INTEGRATIONS, &account, &[&place(&format!("{number}"))]).unwrap().unwrap();
        assert!(knows(&used), "{number}");
    }
    let known = (0..3 * PLACES).filter(|number| knows(&place(&format!("{number}")))).collect::<Vec<_>>();
    assert_eq!(known, (2 * PLACES + 1..3 * PLACES).collect::<Vec<_>>());
    store.close();
}

#[test]
fn names_of_places_count_though_no_object_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let (store, account) = store(&folder);
    let long = "n".repeat(40_000);
    for number in 0..60 {
        store.indexed(INTEGRATIONS, &account, &[&place(&format!("{long}{number}"))]).unwrap().unwrap();
    }
    let entry = store.shared.indexes.entry(&(INTEGRATIONS.records, account.clone()));
    let bytes = entry.bytes.load(Ordering::Relaxed);
    assert!((20 * long.len()..=1 << 20).contains(&bytes), "{bytes}");
    store.close();
}

#[test]
fn nobody_sees_a_commit_that_an_index_does_not_know_yet() {
    let folder = tempfile::tempdir().unwrap();
    let (store, account) = store(&folder);
    store.indexed(INTEGRATIONS, &account, &[]).unwrap().unwrap();
    let indexes = &store.shared.indexes;
    let entry = indexes.entry(&(INTEGRATIONS.records, account.clone()));
    let change = Change { collection: INTEGRATIONS, account, tiny_id: 1, record: None };
    let mut published = false;
    indexes.publish(&[change], || {
        assert!(entry.state.try_lock().is_err(), "a reader could take a view between the two");
        published = true;
    });
    assert!(published && entry.state.try_lock().is_ok());
    store.close();
}
