//! What lists need to know of an account's objects without reading them: which there are, and the values of the places
//! that somebody filtered or sorted by.
//!
//! All of it is derived. It is built from a snapshot when an account is first asked, while the writer goes on and notes
//! what it changes meanwhile; from then on the writer keeps it up, in the moment in which it publishes a commit. So a
//! view and a snapshot that are taken together show the same commit. When the memory is used up, the accounts that were
//! not asked for longest leave.

mod column;
#[cfg(test)]
mod tests;
mod view;

pub use view::View;

use super::{Collection, Snapshot, StoreError, engine::Stored, trees::Tree};
use crate::domain::{
    ids::AccountId,
    list::{Object, Place},
};
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
pub struct Indexed {
    /// Which objects there are, and some of their values.
    pub view: View,
    /// The objects themselves.
    pub snapshot: Snapshot,
}

/// The views of all accounts that were asked for.
#[derive(Debug)]
pub(super) struct Indexes {
    /// Bytes of memory for all of them.
    budget: usize,
    accounts: RwLock<HashMap<Key, Arc<Entry>>>,
    /// Counts uses, to tell which was longest ago.
    uses: AtomicU64,
}

type Key = (Tree, AccountId);

/// One account.
#[derive(Debug, Default)]
struct Entry {
    state: Mutex<State>,
    built: Condvar,
    last_use: AtomicU64,
    bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    view: Option<View>,
    /// While somebody builds: what was published since.
    building: Option<Vec<Change>>,
    /// Places that do not fit into the memory.
    refused: Vec<Place>,
    /// Whether the writer has forgotten this entry.
    evicted: bool,
    /// Changes since its bytes were counted.
    uncounted: usize,
}

/// After so many changes, or objects while it is built, the bytes of a view are counted again.
const COUNT_EVERY: usize = 1024;

/// Beyond so many places that do not fit, which ones is forgotten.
const REFUSED: usize = 64;

impl Indexes {
    pub(super) fn new(budget: u64) -> Self {
        let budget = usize::try_from(budget).unwrap_or(usize::MAX);
        Self { budget, accounts: RwLock::default(), uses: AtomicU64::default() }
    }

    /// What is known of the account at these places, if all of it was built before.
    pub(super) fn built(
        &self,
        collection: Collection,
        account: &AccountId,
        places: &[&Place],
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<Option<Indexed>, StoreError> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = accounts.get(&(collection.records, account.clone())).cloned() else { return Ok(None) };
        drop(accounts);
        self.touch(&entry);
        entry.lock().indexed(places, snapshot)
    }

    /// What is known of the account at these places; built if need be, which takes long. `None` when it does not fit
    /// into the memory.
    pub(super) fn get(
        &self,
        collection: Collection,
        account: &AccountId,
        places: &[&Place],
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<Option<Indexed>, StoreError> {
        if self.budget == 0 {
            return Ok(None);
        }
        let key = (collection.records, account.clone());
        loop {
            let entry = self.entry(&key);
            let mut state = entry.lock();
            while state.building.is_some() {
                state = entry.built.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.evicted {
                continue;
            }
            if places.iter().any(|place| state.refused.contains(place)) {
                return Ok(None);
            }
            if let Some(indexed) = state.indexed(places, &snapshot)? {
                return Ok(Some(indexed));
            }
            let missing = state.missing(places);
            // From here on the writer notes its changes, so that the snapshot and they are all there is.
            state.building = Some(Vec::new());
            drop(state);
            let building = Building(&entry);
            let built = self.build(&key, collection, &snapshot()?, missing.clone());
            let indexed = building.finish(self.budget, places, built?, &snapshot)?;
            if indexed.is_none() {
                let mut state = entry.lock();
                state.refuse(missing);
                entry.count(&mut state);
            }
            self.make_room(Some(&key), 0);
            return Ok(indexed);
        }
    }

    /// Publishes a commit: what readers see and what is known of it change in one step.
    pub(super) fn publish(&self, changes: &[Change], publish: impl FnOnce()) {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let mut affected: Vec<(&Entry, MutexGuard<'_, State>, Vec<&Change>)> = Vec::new();
        for change in changes.iter().filter(|_| !accounts.is_empty()) {
            let Some(entry) = accounts.get(&(change.collection.records, change.account.clone())) else { continue };
            match affected.iter_mut().find(|(known, ..)| std::ptr::eq(*known, entry.as_ref())) {
                Some((.., changes)) => changes.push(change),
                None => affected.push((entry, entry.lock(), vec![change])),
            }
        }
        publish();
        let mut grown = false;
        for (entry, mut state, changes) in affected {
            for change in changes {
                state.follow(change);
            }
            if state.uncounted >= COUNT_EVERY {
                entry.count(&mut state);
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
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        for (_, entry) in accounts.drain() {
            entry.lock().evict();
        }
    }

    fn entry(&self, key: &Key) -> Arc<Entry> {
        let known = self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let entry = known.unwrap_or_else(|| {
            let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(accounts.entry(key.clone()).or_default())
        });
        self.touch(&entry);
        entry
    }

    fn touch(&self, entry: &Entry) {
        entry.last_use.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Reads all objects of an account. `None` when what is to be known of them does not fit.
    fn build(
        &self,
        key: &Key,
        collection: Collection,
        snapshot: &Snapshot,
        places: Vec<Place>,
    ) -> Result<Option<View>, StoreError> {
        let mut view = View::with_places(places);
        if !view.needs_attributes() {
            snapshot.for_each_number(collection, &key.1, |tiny_id| view.insert_number(tiny_id))?;
            return Ok(Some(view));
        }
        let (mut seen, mut fits) = (0_usize, true);
        snapshot.for_each_unordered(collection, &key.1, |tiny_id, stored| {
            if !fits {
                return Ok(());
            }
            seen = seen.wrapping_add(1);
            fits = view.insert(tiny_id, &parse(&stored)?).is_ok();
            if seen.is_multiple_of(COUNT_EVERY) {
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
        let over = |accounts: &HashMap<Key, Arc<Entry>>| {
            let bytes = accounts.values().map(|entry| entry.bytes.load(Ordering::Relaxed));
            bytes.fold(more, usize::saturating_add).saturating_sub(self.budget)
        };
        if over(&self.accounts.read().unwrap_or_else(PoisonError::into_inner)) == 0 {
            return;
        }
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        let mut too_much = over(&accounts);
        let mut by_use: Vec<_> = accounts
            .iter()
            .filter(|(key, _)| Some(*key) != keep)
            .map(|(key, entry)| (entry.last_use.load(Ordering::Relaxed), key.clone()))
            .collect();
        by_use.sort_unstable_by_key(|(last_use, _)| *last_use);
        for (_, key) in by_use {
            if too_much == 0 {
                break;
            }
            let Some(entry) = accounts.get(&key).cloned() else { continue };
            if entry.lock().evict() {
                too_much = too_much.saturating_sub(entry.bytes.load(Ordering::Relaxed));
                accounts.remove(&key);
            }
        }
    }
}

impl Entry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, state: &mut State) {
        state.uncounted = 0;
        let refused = state.refused.iter().map(|place| place.name().len());
        let bytes = refused.fold(state.view.as_ref().map_or(0, View::bytes), usize::saturating_add);
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}

impl State {
    fn indexed(
        &mut self,
        places: &[&Place],
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<Option<Indexed>, StoreError> {
        match &mut self.view {
            // The writer cannot publish anything between these two.
            Some(view) if places.iter().all(|place| view.has(place)) => {
                view.touch(places);
                Ok(Some(Indexed { view: view.clone(), snapshot: snapshot()? }))
            }
            _ => Ok(None),
        }
    }

    fn missing(&self, places: &[&Place]) -> Vec<Place> {
        let mut missing = Vec::new();
        for place in places {
            let known = self.view.as_ref().is_some_and(|view| view.has(place));
            if !known && !missing.contains(*place) {
                missing.push((*place).clone());
            }
        }
        missing
    }

    fn follow(&mut self, change: &Change) {
        self.uncounted = self.uncounted.saturating_add(1);
        if let Some(changes) = &mut self.building {
            changes.push(change.clone());
        }
        // What cannot be followed is built again when it is asked for, and then the fault is told.
        if self.view.as_mut().is_some_and(|view| !follow(view, change)) {
            self.view = None;
        }
    }

    fn refuse(&mut self, places: Vec<Place>) {
        if self.refused.len() >= REFUSED {
            self.refused.clear();
        }
        self.refused.extend(places);
    }

    /// `false` while it is being built.
    fn evict(&mut self) -> bool {
        if self.building.is_some() {
            return false;
        }
        self.evicted = true;
        self.view = None;
        true
    }
}

/// Whoever builds. Nobody waits for it any longer when it is dropped.
struct Building<'a>(&'a Entry);

impl Building<'_> {
    /// Takes in what was built, and answers with it. `None` when it does not fit.
    fn finish(
        &self,
        budget: usize,
        places: &[&Place],
        built: Option<View>,
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<Option<Indexed>, StoreError> {
        let mut state = self.0.lock();
        let changes = state.building.take().unwrap_or_default();
        let Some(mut built) = built else { return Ok(None) };
        if !changes.iter().all(|change| follow(&mut built, change)) {
            return Ok(None);
        }
        let view = match state.view.take() {
            None => built,
            Some(mut view) => {
                view.extend(built);
                view.forget_all_but(places, budget);
                view
            }
        };
        let fits = view.bytes() <= budget;
        state.view = fits.then_some(view);
        self.0.count(&mut state);
        state.indexed(places, snapshot)
    }
}

impl Drop for Building<'_> {
    fn drop(&mut self) {
        self.0.lock().building = None;
        self.0.built.notify_all();
    }
}

/// Whether the view could follow.
fn follow(view: &mut View, change: &Change) -> bool {
    match &change.record {
        None => {
            view.remove(change.tiny_id);
            true
        }
        Some(_) if !view.needs_attributes() => {
            view.insert_number(change.tiny_id);
            true
        }
        Some(record) => match parse(record) {
            Ok(object) => view.set(change.tiny_id, &object).is_ok(),
            Err(_) => false,
        },
    }
}

fn parse(stored: &Stored) -> Result<Object<'_>, StoreError> {
    Object::parse(stored.as_ref()).map_err(|error| StoreError::damaged(format!("a record cannot be read: {error}")))
}
