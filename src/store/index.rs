//! In-memory indexes for lists: which objects an account has, and the values of the fields that
//! lists filter or sort by.
//!
//! Indexes are derived data. The first list of an account builds its index from a snapshot while
//! the writer keeps committing; changes made meanwhile are queued and applied at the end. From then
//! on the writer updates the index in the same step that publishes a commit, so an index view and a
//! snapshot taken together show the same commit. When the memory budget is used up, the least
//! recently used accounts are evicted.

mod account;
mod build;
mod column;
#[cfg(test)]
mod tests;
mod view;

pub use view::IndexView;

use super::{Collection, Snapshot, StoreError, change::Change, trees::Tree};
use crate::domain::{ids::AccountId, list::FieldPath};
use account::{AccountIndex, AccountState};
use build::{BuildGuard, BuildOutcome, parse};
use std::{
    collections::HashMap,
    sync::{
        Arc, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// An index view and the snapshot of the same commit.
#[derive(Debug)]
pub struct IndexedSnapshot {
    /// The tinyIds of all objects, and the values of some fields.
    pub view: IndexView,
    /// The records, as of the same commit.
    pub snapshot: Snapshot,
}

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

type IndexKey = (Tree, AccountId);

/// The bytes of an index are recomputed after this many changes or built objects.
const RECOUNT_INTERVAL: usize = 1024;

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

    /// The account's index with these fields, if it exists already.
    pub(super) fn get_cached(
        &self,
        collection: Collection,
        account: &AccountId,
        fields: &[&FieldPath],
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<Option<IndexedSnapshot>, StoreError> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = accounts
            .get(&(collection.records, account.clone()))
            .cloned()
        else {
            return Ok(None);
        };
        drop(accounts);
        self.record_use(&entry);
        entry.lock().indexed(fields, snapshot)
    }

    /// The account's index with these fields, built if necessary, which reads all of the account's
    /// objects. `None` if it does not fit into the budget.
    pub(super) fn get_or_build(
        &self,
        collection: Collection,
        account: &AccountId,
        fields: &[&FieldPath],
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<Option<IndexedSnapshot>, StoreError> {
        if self.budget == 0 {
            return Ok(None);
        }

        let key = (collection.records, account.clone());
        loop {
            let entry = self.entry(&key);
            let mut state = entry.lock();
            while state.building.is_some() {
                state = entry
                    .built
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }

            if state.evicted {
                continue;
            }

            if fields.iter().any(|field| state.oversized.contains(field)) {
                return Ok(None);
            }

            if let Some(indexed) = state.indexed(fields, &snapshot)? {
                return Ok(Some(indexed));
            }

            let missing = state.missing(fields);
            // From here on the writer queues its changes: the snapshot and they are the whole truth.
            state.building = Some(Vec::new());
            drop(state);

            let building = BuildGuard(&entry);
            let built = self.build(&key, collection, &snapshot()?, missing.clone());
            let finished = building.finish(self.budget, fields, built?, &snapshot)?;

            drop(building);
            let indexed = match finished {
                BuildOutcome::Ready(indexed) => Some(*indexed),
                BuildOutcome::TooLarge => {
                    entry.lock().mark_oversized(missing);
                    None
                }
            };

            self.make_room(Some(&key), 0);
            return Ok(indexed);
        }
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

    fn entry(&self, key: &IndexKey) -> Arc<AccountIndex> {
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

    fn record_use(&self, entry: &AccountIndex) {
        entry
            .last_use
            .store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Reads all objects of an account. `None` if the index does not fit.
    fn build(
        &self,
        key: &IndexKey,
        collection: Collection,
        snapshot: &Snapshot,
        fields: Vec<FieldPath>,
    ) -> Result<Option<IndexView>, StoreError> {
        let mut view = IndexView::with_fields(fields);
        if !view.has_fields() {
            snapshot
                .for_each_tiny_id(collection, &key.1, |tiny_id| view.insert_tiny_id(tiny_id))?;
            return Ok(Some(view));
        }

        let (mut seen, mut fits) = (0_usize, true);
        snapshot.for_each_unordered(collection, &key.1, |tiny_id, stored| {
            if !fits {
                return Ok(());
            }
            seen = seen.wrapping_add(1);
            fits = view.set(tiny_id, &parse(&stored)?).is_ok();
            if seen.is_multiple_of(RECOUNT_INTERVAL) {
                let bytes = view.bytes();
                fits = fits && bytes <= self.budget;
                self.make_room(Some(key), bytes);
            }
            Ok(())
        })?;

        Ok(fits.then_some(view))
    }

    /// Evicts accounts until the indexes and `more` bytes fit into the budget. Never evicts `keep`.
    fn make_room(&self, keep: Option<&IndexKey>, more: usize) {
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
