//! In-memory indexes for lists: which objects an account has, and the values of the fields that
//! lists filter or sort by. `snapshot::indexed` builds them and pairs them with snapshots.
//!
//! Indexes are derived data. The first list of an account builds its index from a snapshot while
//! the writer keeps committing; changes made meanwhile are queued and applied at the end. From then
//! on the writer updates the index in the same step that publishes a commit, so an index view and a
//! snapshot taken together show the same commit. When the memory budget is used up, the least
//! recently used accounts are evicted.

mod account;
mod apply;
mod build;
mod column;
#[cfg(test)]
mod tests;
mod view;

pub(super) use apply::parse_record;
pub(super) use build::BuildGuard;
pub use view::IndexView;

use super::{Collection, change::Change, trees::Tree};
use crate::domain::ids::AccountId;
use account::{AccountIndex, AccountState};
use std::{
    collections::HashMap,
    sync::{
        Arc, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// The indexes of all accounts.
#[derive(Debug)]
pub(super) struct Indexes {
    /// Memory budget in bytes.
    budget: usize,
    /// Bytes in use.
    total: Arc<AtomicUsize>,
    accounts: RwLock<HashMap<IndexKey, Arc<AccountIndex>>>,
    /// Logical clock for `last_use`.
    uses: AtomicU64,
}

/// The records of a collection, and an account.
pub(super) type IndexKey = (Tree, AccountId);

/// The bytes of an index are recomputed after this many changes or built objects.
pub(super) const RECOUNT_INTERVAL: usize = 1024;

impl Indexes {
    pub(super) fn new(budget: u64) -> Self {
        let budget = usize::try_from(budget).unwrap_or(usize::MAX);
        Self {
            budget,
            total: Arc::default(),
            accounts: RwLock::default(),
            uses: AtomicU64::default(),
        }
    }

    /// Bytes that all indexes use.
    pub(super) fn bytes(&self) -> u64 {
        self.total
            .load(Ordering::Relaxed)
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// Memory budget in bytes; 0 if there are no indexes.
    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    /// The account's index, if there is one.
    pub(super) fn get(
        &self,
        collection: Collection,
        account: &AccountId,
    ) -> Option<Arc<AccountIndex>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let entry = accounts
            .get(&(collection.records, account.clone()))
            .cloned();
        drop(accounts);
        entry.inspect(|entry| self.record_use(entry))
    }

    /// The account's index, which may be new and without a view.
    pub(super) fn get_or_create(&self, key: &IndexKey) -> Arc<AccountIndex> {
        let known = self
            .accounts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned();
        let entry = known.unwrap_or_else(|| {
            let mut accounts = self
                .accounts
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let new = || {
                Arc::new(AccountIndex {
                    total: Arc::clone(&self.total),
                    ..AccountIndex::default()
                })
            };
            Arc::clone(accounts.entry(key.clone()).or_insert_with(new))
        });

        self.record_use(&entry);
        entry
    }

    /// Publishes a commit: calls `publish` and applies the changes to the indexes as one atomic
    /// step.
    pub(super) fn publish(&self, changes: &[Change], publish: impl FnOnce()) {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let mut affected: Vec<(&AccountIndex, MutexGuard<'_, AccountState>, Vec<&Change>)> =
            Vec::new();
        for change in changes.iter().filter(|_| !accounts.is_empty()) {
            let Some(entry) = accounts.get(&(change.collection.records, change.account.clone()))
            else {
                continue;
            };
            match affected
                .iter_mut()
                .find(|(known, ..)| std::ptr::eq(*known, entry.as_ref()))
            {
                Some((.., changes)) => changes.push(change),
                None => affected.push((entry, entry.lock(), vec![change])),
            }
        }

        // All locks are held: a reader cannot take a view and a snapshot of different commits.
        publish();
        let mut grown = false;
        for (entry, mut state, changes) in affected {
            for change in changes {
                state.apply_change(change);
            }
            if state.changes_since_recount >= RECOUNT_INTERVAL {
                entry.recount(&mut state);
                grown = true;
            }
        }

        drop(accounts);
        if grown {
            self.make_room(None, 0);
        }
    }

    fn record_use(&self, entry: &AccountIndex) {
        entry
            .last_use
            .store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Evicts accounts until the indexes and `more` bytes fit into the budget. Never evicts `keep`.
    pub(super) fn make_room(&self, keep: Option<&IndexKey>, more: usize) {
        let over = self
            .total
            .load(Ordering::Relaxed)
            .saturating_add(more)
            .saturating_sub(self.budget);

        if over == 0 {
            return;
        }

        let mut accounts = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut by_use: Vec<_> = accounts
            .iter()
            .filter(|(key, _)| Some(*key) != keep)
            .map(|(key, entry)| (entry.last_use.load(Ordering::Relaxed), key.clone()))
            .collect();
        by_use.sort_unstable_by_key(|(last_use, _)| *last_use);

        // Evict a little more than necessary, so that not every new account has to scan all others.
        let mut too_much = over.saturating_add(self.budget / 16);
        for (_, key) in by_use {
            if too_much == 0 {
                break;
            }
            let Some(entry) = accounts.get(&key).cloned() else {
                continue;
            };
            if entry.lock().evict() {
                too_much = too_much.saturating_sub(entry.set_bytes(0));
                accounts.remove(&key);
            }
        }
    }
}
