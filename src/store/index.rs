//! What lists need to know of an account's objects without reading them: which there are, and the
//! values of the places that somebody filtered or sorted by.
//!
//! All of it is derived. It is built from a snapshot when an account is first asked, while the
//! writer goes on and notes what it changes meanwhile; from then on the writer keeps it up, in the
//! moment in which it publishes a commit. So a view and a snapshot that are taken together show the
//! same commit. When the memory is used up, the accounts that were not asked for longest leave.

mod build;
mod column;
#[cfg(test)]
mod tests;
mod view;

pub use view::IndexView;

use super::{Collection, Snapshot, StoreError, engine::Stored, trees::Tree};
use crate::domain::{ids::AccountId, list::FieldPath};
use build::{ApplyError, BuildGuard, BuildOutcome, apply_change, parse};
use std::{
    collections::HashMap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// A change of one object: its new state, or `None` if it is gone.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) collection: Collection,
    pub(super) account: AccountId,
    pub(super) tiny_id: u64,
    pub(super) record: Option<Stored>,
}

/// A view, and the snapshot of the same commit.
#[derive(Debug)]
pub struct IndexedSnapshot {
    /// Which objects there are, and some of their values.
    pub view: IndexView,
    /// The objects themselves.
    pub snapshot: Snapshot,
}

/// The views of all accounts that were asked for.
#[derive(Debug)]
pub(super) struct Indexes {
    /// Bytes of memory for all of them.
    budget: usize,
    /// Bytes that all of them take.
    total: Arc<AtomicUsize>,
    accounts: RwLock<HashMap<Key, Arc<AccountIndex>>>,
    /// Counts uses, to tell which was longest ago.
    uses: AtomicU64,
}

type Key = (Tree, AccountId);

/// One account.
#[derive(Debug, Default)]
struct AccountIndex {
    state: Mutex<AccountState>,
    built: Condvar,
    last_use: AtomicU64,
    bytes: AtomicUsize,
    /// Of all entries together.
    total: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct AccountState {
    view: Option<IndexView>,
    /// While somebody builds: what was published since.
    building: Option<Vec<Change>>,
    /// Places that do not fit into the memory.
    oversized: Vec<FieldPath>,
    /// Whether the writer has forgotten this entry.
    evicted: bool,
    /// Changes since its bytes were counted.
    changes_since_recount: usize,
}

/// After so many changes, or objects while it is built, the bytes of a view are counted again.
const RECOUNT_INTERVAL: usize = 1024;

/// Beyond so many places that do not fit, which ones is forgotten.
const MAX_OVERSIZED_FIELDS: usize = 64;

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

    /// Bytes that all of them take.
    pub(super) fn bytes(&self) -> u64 {
        self.total
            .load(Ordering::Relaxed)
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// What is known of the account at these places, if all of it was built before.
    pub(super) fn get_cached(
        &self,
        collection: Collection,
        account: &AccountId,
        places: &[&FieldPath],
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
        entry.lock().indexed(places, snapshot)
    }

    /// What is known of the account at these places; built if need be, which takes long. `None`
    /// when it does not fit into the memory.
    pub(super) fn get_or_build(
        &self,
        collection: Collection,
        account: &AccountId,
        places: &[&FieldPath],
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

            if places.iter().any(|place| state.oversized.contains(place)) {
                return Ok(None);
            }

            if let Some(indexed) = state.indexed(places, &snapshot)? {
                return Ok(Some(indexed));
            }

            let missing = state.missing(places);
            // From here on the writer notes its changes, so that the snapshot and they are all
            // there is.
            state.building = Some(Vec::new());
            drop(state);

            let building = BuildGuard(&entry);
            let built = self.build(&key, collection, &snapshot()?, missing.clone());
            let finished = building.finish(self.budget, places, built?, &snapshot)?;

            drop(building);
            let indexed = match finished {
                BuildOutcome::Evicted => continue,
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

    /// Publishes a commit: what readers see and what is known of it change in one step.
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

    /// Forgets everything: the store was opened anew.
    pub(super) fn clear(&self) {
        let mut accounts = self
            .accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for (_, entry) in accounts.drain() {
            // Whoever builds it sees so when it is done, and begins with another.
            entry.lock().clear();
            entry.set_bytes(0);
        }
    }

    fn entry(&self, key: &Key) -> Arc<AccountIndex> {
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

    /// Reads all objects of an account. `None` when what is to be known of them does not fit.
    fn build(
        &self,
        key: &Key,
        collection: Collection,
        snapshot: &Snapshot,
        places: Vec<FieldPath>,
    ) -> Result<Option<IndexView>, StoreError> {
        let mut view = IndexView::with_fields(places);
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

    /// Lets accounts leave until what is known, and `more` bytes, fit. `keep` stays.
    fn make_room(&self, keep: Option<&Key>, more: usize) {
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

        // A little more than must be, so that not each new account has to look at all others.
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

impl AccountIndex {
    fn lock(&self) -> MutexGuard<'_, AccountState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recount(&self, state: &mut AccountState) {
        state.changes_since_recount = 0;
        self.set_bytes(state.bytes());
    }

    /// Notes how many bytes it takes now, and tells how many it did.
    fn set_bytes(&self, bytes: usize) -> usize {
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        // The sum wraps around and back.
        self.total
            .fetch_add(bytes.wrapping_sub(before), Ordering::Relaxed);
        before
    }
}

impl AccountState {
    /// Bytes of memory, more or less.
    fn bytes(&self) -> usize {
        const ACCOUNT_OVERHEAD: usize = 512;
        let refused = self.oversized.iter().map(|place| place.name().len());
        self.view
            .as_ref()
            .map_or(0, IndexView::bytes)
            .saturating_add(ACCOUNT_OVERHEAD)
            .saturating_add(refused.sum())
    }

    fn indexed(
        &mut self,
        places: &[&FieldPath],
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<Option<IndexedSnapshot>, StoreError> {
        match &mut self.view {
            // The writer cannot publish anything between these two.
            Some(view) if places.iter().all(|place| view.has(place)) => {
                view.mark_used(places);
                Ok(Some(IndexedSnapshot {
                    view: view.clone(),
                    snapshot: snapshot()?,
                }))
            }
            _ => Ok(None),
        }
    }

    fn missing(&self, places: &[&FieldPath]) -> Vec<FieldPath> {
        let mut missing = Vec::new();
        for place in places {
            let known = self.view.as_ref().is_some_and(|view| view.has(place));
            if !known && !missing.contains(*place) {
                missing.push((*place).clone());
            }
        }
        missing
    }

    fn apply_change(&mut self, change: &Change) {
        self.changes_since_recount = self.changes_since_recount.saturating_add(1);
        if let Some(changes) = &mut self.building {
            changes.push(change.clone());
        }

        let Some(view) = &mut self.view else { return };
        let followed = match apply_change(view, change) {
            Err(ApplyError::TooLarge) => {
                let gone = view.remove_open_ended();
                let followed = apply_change(view, change);
                self.mark_oversized(gone);
                followed
            }
            followed => followed,
        };

        // What cannot be followed is built again when it is asked for, and then the fault is told.
        if followed.is_err() {
            self.view = None;
        }
    }

    fn mark_oversized(&mut self, places: Vec<FieldPath>) {
        if self.oversized.len() >= MAX_OVERSIZED_FIELDS {
            self.oversized.clear();
        }
        self.oversized.extend(places);
    }

    /// `false` while it is being built.
    fn evict(&mut self) -> bool {
        if self.building.is_some() {
            return false;
        }
        self.clear();
        true
    }

    fn clear(&mut self) {
        self.evicted = true;
        self.view = None;
    }
}
