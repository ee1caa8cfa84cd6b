//! The entries that an import adds to a store, in the key order of each tree.

use super::{
    plan::{ImportOrder, Object, Plan},
    read_old,
};
use crate::store::{
    Collection, StoreError,
    collection::COLLECTIONS,
    entries::{Entry, Stored},
    local::Engine,
    record_kinds,
    trees::{self, Counters, Tree},
};
use std::collections::BTreeMap;

impl Plan {
    /// Sorts the objects in the key order of a tree.
    pub(super) fn sort_for(&mut self, tree: Tree) {
        let is = |of: fn(Collection) -> Tree| {
            COLLECTIONS
                .into_iter()
                .any(|collection| of(collection) == tree)
        };

        let order = if is(|collection| collection.index) {
            ImportOrder::Numbers
        } else if is(|collection| collection.records) {
            ImportOrder::Ids
        } else {
            return;
        };

        if order == self.order {
            return;
        }

        self.order = order;
        match order {
            ImportOrder::File => {}
            ImportOrder::Numbers => self.objects.sort_unstable_by(|one, other| {
                (one.account.as_str(), one.tiny_id).cmp(&(other.account.as_str(), other.tiny_id))
            }),
            ImportOrder::Ids => self
                .objects
                .sort_unstable_by(|one, other| one.id.cmp(&other.id)),
        }
    }

    /// The new counters of all accounts in the file.
    pub(super) fn counters(&self) -> impl Iterator<Item = Entry> {
        self.accounts.iter().map(|(key, account)| {
            let counters = Counters {
                last_tiny_id: account.last_tiny_id.max(account.old.last_tiny_id),
                live: account.objects.saturating_add(account.old.live),
            };
            (key.clone(), counters.encode().into())
        })
    }

    /// The new index entries of a collection.
    pub(super) fn index_entries(&self, collection: Collection) -> impl Iterator<Item = Entry> {
        self.records(collection).map(|object| {
            (
                trees::index_key(&object.account, object.tiny_id),
                object.id.as_bytes().to_vec().into(),
            )
        })
    }

    pub(super) fn records(&self, collection: Collection) -> impl Iterator<Item = &Object> {
        self.objects
            .iter()
            .filter(move |object| object.collection == collection)
    }

    /// The new entries of a tree of secondary keys. The newest object wins, even if it is in the
    /// store already.
    pub(super) fn secondary_keys(
        &self,
        tree: Tree,
        old: Option<&Engine>,
    ) -> Result<BTreeMap<Vec<u8>, Stored>, StoreError> {
        let mut newest: BTreeMap<&[u8], &Object> = BTreeMap::new();
        for object in &self.objects {
            let Some(secondary_key) = object
                .secondary_key
                .as_ref()
                .filter(|secondary_key| secondary_key.tree == tree)
            else {
                continue;
            };
            let known = newest.entry(&secondary_key.key).or_insert(object);
            if known.tiny_id < object.tiny_id {
                *known = object;
            }
        }

        let mut entries = BTreeMap::new();
        for (key, object) in newest {
            if !is_newer(old, tree, key, object)? {
                let id = if tree == Tree::SendersByAccount {
                    Vec::new()
                } else {
                    object.id.as_bytes().to_vec()
                };
                entries.insert(key.to_vec(), id.into());
            }
        }

        Ok(entries)
    }
}

/// Whether the entry in the old store points to a newer object.
fn is_newer(
    old: Option<&Engine>,
    tree: Tree,
    key: &[u8],
    object: &Object,
) -> Result<bool, StoreError> {
    let Some(id) = read_old(old, tree, key)? else {
        return Ok(false);
    };
    let Some(record) = read_old(old, object.collection.records, id.as_ref())? else {
        return Ok(false);
    };
    let meta = record_kinds::record_kind_of(object.collection)
        .and_then(|kind| kind.read(record.as_ref()).ok());
    Ok(meta.is_some_and(|meta| meta.tiny_id > object.tiny_id))
}
