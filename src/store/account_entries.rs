//! All entries of one account, in all trees, as one value: for resets, snapshots and restores.
//!
//! Which trees hold entries of accounts is read off [`KeyOwner`], so a new kind of object is
//! included without a change here.

use super::{
    Snapshot, StoreError, Transaction,
    collection::{COLLECTIONS, Collection},
    entries::{Entry, Stored, TreeMap},
    idempotency::{IdempotencyRecord, time_key},
    trees::{self, KeyOwner, Tree},
};
use crate::domain::ids::AccountId;
use std::collections::BTreeMap;

/// Entries read from the engine at a time.
const SCAN_CHUNK: usize = 256;

/// Everything that the store holds of one account. The values share the buffers of the store.
#[derive(Clone, Debug, Default)]
pub struct AccountEntries(TreeMap<Stored>);

/// A view of the store that entries can be read from.
trait ReadEntries {
    fn value(&self, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError>;
    fn entries_below(&self, tree: Tree, prefix: &[u8]) -> Result<Vec<Entry>, StoreError>;
}

impl ReadEntries for Snapshot {
    fn value(&self, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        self.get(tree, key)
    }

    fn entries_below(&self, tree: Tree, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let end = trees::prefix_end(prefix);
        self.scan(tree, prefix.to_vec(), end, false, SCAN_CHUNK)
            .collect()
    }
}

impl ReadEntries for Transaction<'_> {
    fn value(&self, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        self.get(tree, key)
    }

    fn entries_below(&self, tree: Tree, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for key in self.keys_below(tree, prefix)? {
            if let Some(value) = self.get(tree, &key)? {
                entries.push((key, value));
            }
        }
        Ok(entries)
    }
}

impl AccountEntries {
    fn read(view: &impl ReadEntries, account: &AccountId) -> Result<Self, StoreError> {
        let prefix = trees::account_prefix(account);
        let mut entries = TreeMap::default();
        let by_account = Tree::ALL
            .into_iter()
            .filter(|tree| tree.key_owner() == KeyOwner::Account);
        for tree in by_account {
            for (key, value) in view.entries_below(tree, &prefix)? {
                entries.insert(tree, key, value);
            }
        }

        for collection in COLLECTIONS {
            let ids: Vec<Stored> = entries.tree(collection.index).values().cloned().collect();
            for id in ids {
                // A missing record is damage for `check` to report. It must not prevent a reset.
                if let Some(record) = view.value(collection.records, id.as_ref())? {
                    entries.insert(collection.records, id.as_ref().to_vec(), record);
                }
            }
        }

        let mut times = Vec::new();
        for (key, value) in entries.tree(Tree::Idempotency) {
            if let Ok(record) = IdempotencyRecord::decode(value.as_ref()) {
                times.push(time_key(record.at, key));
            }
        }
        for key in times {
            entries.insert(Tree::IdempotencyByTime, key, Vec::new().into());
        }

        Ok(Self(entries))
    }

    pub(super) fn new(entries: TreeMap<Stored>) -> Self {
        Self(entries)
    }

    /// The entries of a tree, by key.
    pub(super) fn tree(&self, tree: Tree) -> &BTreeMap<Vec<u8>, Stored> {
        self.0.tree(tree)
    }

    /// The records of a collection by id, in the order of their tinyIds.
    pub fn records(&self, collection: Collection) -> impl Iterator<Item = (&str, &Stored)> {
        let ids = self.tree(collection.index).values();
        ids.filter_map(move |id| {
            let record = self.0.get(collection.records, id.as_ref())?;
            Some((std::str::from_utf8(id.as_ref()).ok()?, record))
        })
    }

    /// The number of records of all collections.
    pub fn record_count(&self) -> usize {
        COLLECTIONS.into_iter().fold(0, |count, collection| {
            count.saturating_add(self.tree(collection.records).len())
        })
    }

    /// Whether the account has nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Size of all keys and values.
    pub fn bytes(&self) -> usize {
        self.0.iter().fold(0, |bytes, (_, key, value)| {
            bytes
                .saturating_add(key.len())
                .saturating_add(value.as_ref().len())
        })
    }
}

impl Snapshot {
    /// All entries of an account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn account_entries(&self, account: &AccountId) -> Result<AccountEntries, StoreError> {
        AccountEntries::read(self, account)
    }

    /// All accounts that the store has counters of, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn accounts(&self) -> Result<Vec<AccountId>, StoreError> {
        let mut accounts: Vec<AccountId> = Vec::new();
        for entry in self.scan_all(Tree::Accounts, SCAN_CHUNK) {
            let (key, _) = entry?;
            if let Some(sid) = trees::account_in_key(&key)
                && accounts.last() != Some(&sid)
            {
                accounts.push(sid);
            }
        }
        Ok(accounts)
    }
}

impl Transaction<'_> {
    /// The id of a record among these entries that exists in another account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn foreign_id(
        &self,
        account: &AccountId,
        entries: &AccountEntries,
    ) -> Result<Option<String>, StoreError> {
        for collection in COLLECTIONS {
            for (id, _) in entries.records(collection) {
                let found = self.get(collection.records, id.as_bytes())?;
                if found.is_some_and(|record| !collection.owns(account, &record)) {
                    return Ok(Some(id.to_owned()));
                }
            }
        }
        Ok(None)
    }

    /// Makes an account hold exactly these entries. Writes only what differs.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn replace_account(
        &mut self,
        account: &AccountId,
        target: &AccountEntries,
    ) -> Result<(), StoreError> {
        let AccountEntries(current) = AccountEntries::read(self, account)?;
        for (tree, key, _) in current.iter() {
            if target.0.get(tree, key).is_none() {
                self.remove(tree, key.clone());
            }
        }

        for (tree, key, value) in target.0.iter() {
            if current.get(tree, key) != Some(value) {
                self.put(tree, key.clone(), value.clone());
            }
        }

        Ok(())
    }
}
