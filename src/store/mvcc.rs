//! Multi-version concurrency control: the undo log that lets readers see the store as of a commit.
//!
//! sled has no snapshots, and shows changes before they are durable. So before a commit changes the
//! engine, the old values of all its keys are recorded here. A reader looks into the engine first
//! and into the undo log second: an old value recorded by a commit after its version replaces what
//! the engine showed. Whatever change it met in the engine, the old value was recorded before, so
//! the view is exact.

use super::{
    entries::{Bounds, Changes, Entry, Stored, TreeKey, TreeMap},
    trees::Tree,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// The number of a published commit.
pub(super) type Version = u64;

/// The values before a commit; `None` where there was none.
pub(super) type UndoLog = Changes;

/// The values of one key before the commits that changed it, oldest first.
type History = VecDeque<(Version, Option<Stored>)>;

#[derive(Debug)]
pub(super) struct Mvcc {
    state: RwLock<MvccState>,
    /// Number of commits in the undo log, so that readers need no lock while it is empty.
    undo_len: AtomicUsize,
    /// Memory budget of the undo log in bytes.
    budget: u64,
    /// Snapshots of versions before this one have expired.
    oldest_readable: AtomicU64,
}

#[derive(Debug, Default)]
struct MvccState {
    published: Version,
    undo_log: TreeMap<History>,
    /// The commits in the undo log, oldest first, and the keys that they changed.
    commits: VecDeque<(Version, Vec<TreeKey>)>,
    /// Number of snapshots by version.
    readers: BTreeMap<Version, usize>,
    /// Approximate size of the undo log.
    bytes: u64,
}

impl Mvcc {
    /// Starts with `version` published. The undo log may take `budget` bytes, not counting the
    /// commit in progress.
    pub(super) fn new(budget: u64, version: Version) -> Self {
        Self {
            state: RwLock::new(MvccState {
                published: version,
                ..MvccState::default()
            }),
            undo_len: AtomicUsize::default(),
            budget,
            oldest_readable: AtomicU64::default(),
        }
    }

    /// Size of the undo log in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.read().bytes
    }

    /// Whether the snapshot at `version` has not expired. Must be checked after each read.
    pub(super) fn is_readable(&self, version: Version) -> bool {
        version >= self.oldest_readable.load(Ordering::SeqCst)
    }

    /// Records the values of all keys that a commit is about to change. Until
    /// [`publish`](Self::publish), readers see these values.
    pub(super) fn record_undo(&self, old: UndoLog) {
        let mut state = self.write();
        let next = state.published.saturating_add(1);
        let keys = old
            .iter()
            .map(|(tree, key, _)| (tree, key.clone()))
            .collect();
        state.commits.push_back((next, keys));

        for (tree, key, value) in old.into_entries() {
            state.bytes = state.bytes.saturating_add(bytes_of(&key, value.as_ref()));
            if let Some(undo) = state.undo_log.tree_mut(tree) {
                undo.entry(key).or_default().push_back((next, value));
            }
        }

        self.undo_len.store(state.commits.len(), Ordering::SeqCst);
    }

    /// Publishes the recorded commit to new readers, and returns its version.
    pub(super) fn publish(&self) -> Version {
        let mut state = self.write();
        state.published = state.published.saturating_add(1);
        self.prune(&mut state);
        while state.bytes > self.budget && self.expire_oldest_reader(&mut state) {}
        state.published
    }

    /// Expires the oldest snapshots, unless they are of the current version. Returns whether there
    /// were any.
    fn expire_oldest_reader(&self, state: &mut MvccState) -> bool {
        let oldest = state.readers.first_key_value().map(|(version, _)| *version);
        let Some(oldest) = oldest.filter(|version| *version < state.published) else {
            return false;
        };
        // Before anything is dropped, so that no reader trusts a value that was read without it.
        self.oldest_readable
            .store(oldest.saturating_add(1), Ordering::SeqCst);
        state.readers.remove(&oldest);
        self.prune(state);
        true
    }

    /// Registers a snapshot of the last published version. Its owner must [`unpin`](Self::unpin)
    /// the version.
    pub(super) fn pin(&self) -> Version {
        let mut state = self.write();
        let version = state.published;
        *state.readers.entry(version).or_default() += 1;
        version
    }

    /// Unregisters a snapshot.
    pub(super) fn unpin(&self, version: Version) {
        let mut state = self.write();
        if let Some(count) = state.readers.get_mut(&version) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.readers.remove(&version);
            }
        }
        self.prune(&mut state);
    }

    /// The value in the last published commit, where the engine showed `found`.
    pub(super) fn published(
        &self,
        tree: Tree,
        key: &[u8],
        found: Option<Stored>,
    ) -> Option<Stored> {
        if self.undo_len.load(Ordering::SeqCst) == 0 {
            return found;
        }
        let state = self.read();
        state.as_of(state.published, tree, key).unwrap_or(found)
    }

    /// The value at `version`, where the engine showed `found`.
    pub(super) fn as_of(
        &self,
        version: Version,
        tree: Tree,
        key: &[u8],
        found: Option<Stored>,
    ) -> Option<Stored> {
        if self.undo_len.load(Ordering::SeqCst) == 0 {
            return found;
        }
        self.read().as_of(version, tree, key).unwrap_or(found)
    }

    /// The entries of a range at `version`, in key order, where the engine showed `found`.
    pub(super) fn range_as_of(
        &self,
        version: Version,
        tree: Tree,
        bounds: &Bounds,
        found: Vec<Entry>,
    ) -> Vec<Entry> {
        if self.undo_len.load(Ordering::SeqCst) == 0 {
            return found;
        }

        let old = self.read().range_as_of(version, tree, bounds);
        if old.is_empty() {
            return found;
        }

        let mut entries: BTreeMap<_, _> = found.into_iter().collect();
        for (key, value) in old {
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }

        entries.into_iter().collect()
    }

    /// Drops what no snapshot, present or future, can need.
    fn prune(&self, state: &mut MvccState) {
        let oldest_reader = state
            .readers
            .keys()
            .next()
            .copied()
            .unwrap_or(state.published);

        while state
            .commits
            .front()
            .is_some_and(|(version, _)| *version <= oldest_reader)
        {
            let Some((version, changed)) = state.commits.pop_front() else {
                break;
            };
            for key in &changed {
                state.prune_key(version, key);
            }
        }

        self.undo_len.store(state.commits.len(), Ordering::SeqCst);
    }

    fn read(&self) -> RwLockReadGuard<'_, MvccState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, MvccState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MvccState {
    /// The value before the first commit after `version` that changed the key.
    fn as_of(&self, version: Version, tree: Tree, key: &[u8]) -> Option<Option<Stored>> {
        first_after(version, self.undo_log.get(tree, key)?).cloned()
    }

    fn range_as_of(
        &self,
        version: Version,
        tree: Tree,
        bounds: &Bounds,
    ) -> BTreeMap<Vec<u8>, Option<Stored>> {
        self.undo_log
            .tree(tree)
            .range::<Vec<u8>, _>((bounds.0.as_ref(), bounds.1.as_ref()))
            .filter_map(|(key, old)| Some((key.clone(), first_after(version, old)?.clone())))
            .collect()
    }

    fn prune_key(&mut self, version: Version, (tree, key): &TreeKey) {
        let Some(undo) = self.undo_log.tree_mut(*tree) else {
            return;
        };
        let Some(old) = undo.get_mut(key) else {
            return;
        };

        while old.front().is_some_and(|(commit, _)| *commit <= version) {
            let dropped = old.pop_front();
            let bytes = dropped.map_or(0, |(_, value)| bytes_of(key, value.as_ref()));
            self.bytes = self.bytes.saturating_sub(bytes);
        }

        if old.is_empty() {
            undo.remove(key);
        }
    }
}

/// Size of one old value: its key twice, and the value.
fn bytes_of(key: &[u8], value: Option<&Stored>) -> u64 {
    const ENTRY_OVERHEAD: usize = 128;
    let value = value.map_or(0, |value| value.as_ref().len());
    u64::try_from(
        key.len()
            .saturating_mul(2)
            .saturating_add(value)
            .saturating_add(ENTRY_OVERHEAD),
    )
    .unwrap_or(u64::MAX)
}

fn first_after(version: Version, old: &History) -> Option<&Option<Stored>> {
    let position = old.partition_point(|(commit, _)| *commit <= version);
    old.get(position).map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
