//! Tests of what cannot be seen from outside: that a commit and what is known of it are published in one step.

use super::*;
use crate::store::{Durability, INTEGRATIONS, Options, Store};

#[test]
fn nobody_sees_a_commit_that_an_index_does_not_know_yet() {
    let folder = tempfile::tempdir().unwrap();
    let durability = Durability::Ephemeral;
    let options = Options {
        cache_bytes: 1 << 20,
        index_bytes: 1 << 20,
        queue: 1,
        batch: 1,
        durability,
        token_secret: Some("secret".into()),
    };
    let store = Store::open(folder.path(), &options).unwrap();
    let account = AccountId::parse("acc_1").unwrap();
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
