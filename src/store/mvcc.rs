//! What readers may still see: old values of keys that were changed since.
//!
//! sled has no snapshots, and shows a change before it is durable. So the writer lays the old
//! values of all that it is about to change here first. A reader looks into the engine, then here:
//! what it finds here for a commit later than its own is what it must see instead. Whatever change
//! the reader met in the engine, its old value was laid down before, so the order of these two
//! looks makes the view exact.

use super::{
    entries::{Bounds, Changes, Entry, Stored, TreeKey, TreeMap},
    trees::Tree,
};
use crate::domain::ids::AccountId;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// Counts commits; 0 is the store as it was opened.
pub(super) type Version = u64;

/// Values from before a commit; `None` where there was nothing.
pub(super) type UndoLog = Changes;

/// Slots of accounts that a commit changes.
pub(super) type TouchedSlots = BTreeSet<usize>;

/// Accounts share this many slots: a change in one account may look like a change in another, never
/// the reverse.
const ACCOUNT_SLOTS: usize = 4096;

/// Where an account's last change is noted.
pub(super) fn slot(account: &AccountId) -> usize {
    let mut hasher = DefaultHasher::new();
    account.hash(&mut hasher);
    usize::try_from(hasher.finish() % ACCOUNT_SLOTS as u64).unwrap_or_default()
}

#[derive(Debug)]
pub(super) struct Mvcc {
    state: RwLock<State>,
    /// The last commit that changed any account of a slot.
    last_changes: Box<[AtomicU64]>,
    /// Number of commits in `state.undo_log`, so that readers need no lock when there is nothing to
    /// look up.
    undo_len: AtomicUsize,
    /// Bytes that `state.undo_log` may take.
    budget: u64,
    /// Readers of mvcc before this one have lost what they would need.
    oldest_readable: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    published: Version,
    /// What was there before commits that some reader must not see, by key, in the order of the
    /// commits.
    undo_log: TreeMap<VecDeque<(Version, Option<Stored>)>>,
    /// Those commits, in order, and the keys that they changed.
    commits: VecDeque<(Version, Vec<TreeKey>)>,
    /// How many readers hold each version.
    readers: BTreeMap<Version, usize>,
    /// Bytes that `undo_log` takes, more or less.
    bytes: u64,
}

impl Mvcc {
    /// Nothing changed yet. Old values may take so many bytes, those of the commit under way not
    /// counted.
    pub(super) fn new(budget: u64) -> Self {
        let last_changes = std::iter::repeat_with(AtomicU64::default)
            .take(ACCOUNT_SLOTS)
            .collect();
        let (undo_len, oldest_readable) = (AtomicUsize::default(), AtomicU64::default());
        Self {
            state: RwLock::default(),
            last_changes,
            undo_len,
            budget,
            oldest_readable,
        }
    }

    /// Bytes that old values take.
    pub(super) fn bytes(&self) -> u64 {
        self.read().bytes
    }

    /// Whether what a reader that holds `version` was just shown is right. To be asked after each
    /// look.
    pub(super) fn is_readable(&self, version: Version) -> bool {
        version >= self.oldest_readable.load(Ordering::SeqCst)
    }

    /// The writer is about to change these keys; until [`publish`](Self::publish) readers see the
    /// old values.
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

    /// What was prepared is durable: new readers see it.
    pub(super) fn publish(&self, touched: &TouchedSlots) {
        let mut state = self.write();
        state.published = state.published.saturating_add(1);
        for last_change in touched
            .iter()
            .filter_map(|slot| self.last_changes.get(*slot))
        {
            last_change.store(state.published, Ordering::SeqCst);
        }
        self.prune(&mut state);
        while state.bytes > self.budget && self.expire_oldest_reader(&mut state) {}
    }

    /// Keeps nothing more for the readers of the oldest version, unless it is the one of now.
    fn expire_oldest_reader(&self, state: &mut State) -> bool {
        let oldest = state.readers.first_key_value().map(|(version, _)| *version);
        let Some(oldest) = oldest.filter(|version| *version < state.published) else {
            return false;
        };
        // Before anything is dropped, so that no reader takes for right what it was shown without.
        self.oldest_readable
            .store(oldest.saturating_add(1), Ordering::SeqCst);
        state.readers.remove(&oldest);
        self.prune(state);
        true
    }

    /// The engine was opened anew, so that nobody knows what changed: whatever was seen before may
    /// no longer hold. No reader may hold a version.
    pub(super) fn reset(&self) {
        let mut state = self.write();
        let published = state.published.saturating_add(1);
        *state = State {
            published,
            ..State::default()
        };
        for last_change in &self.last_changes {
            last_change.store(published, Ordering::SeqCst);
        }
        self.undo_len.store(0, Ordering::SeqCst);
    }

    /// A version after which the account has certainly not changed. Two equal answers mean that
    /// what was read between them, or after the first, still holds.
    pub(super) fn last_change(&self, account: &AccountId) -> Version {
        self.last_changes
            .get(slot(account))
            .map_or(Version::MAX, |last_change| {
                last_change.load(Ordering::SeqCst)
            })
    }

    /// A reader begins; it must [`unpin`](Self::unpin) what it gets.
    pub(super) fn pin(&self) -> Version {
        let mut state = self.write();
        let version = state.published;
        *state.readers.entry(version).or_default() += 1;
        version
    }

    /// A reader ends.
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

    /// What a reader of the last published commit must see where the engine showed `found`.
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

    /// What a reader that holds `version` must see where the engine showed `found`.
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

    /// Turns what the engine showed of a range into what a reader that holds `version` must see, in
    /// key order.
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

    /// Drops what no reader, present or future, can ask for.
    fn prune(&self, state: &mut State) {
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

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The value from before the first commit after `version` that changed the key.
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

/// What one old value takes: its key twice, and the value.
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

fn first_after(
    version: Version,
    old: &VecDeque<(Version, Option<Stored>)>,
) -> Option<&Option<Stored>> {
    let position = old.partition_point(|(commit, _)| *commit <= version);
    old.get(position).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::Bound;

    fn value(text: &str) -> Option<Stored> {
        Some(Stored::from(text.as_bytes().to_vec()))
    }

    fn old(key: &str, before: Option<Stored>) -> UndoLog {
        UndoLog::from_iter([((Tree::Integrations, key.as_bytes().to_vec()), before)])
    }

    #[test]
    fn a_change_is_seen_only_after_it_is_published() {
        let mvcc = Mvcc::new(u64::MAX);
        mvcc.record_undo(old("k", value("old")));
        assert_eq!(
            mvcc.published(Tree::Integrations, b"k", value("new")),
            value("old")
        );
        assert_eq!(
            mvcc.published(Tree::Meta, b"k", value("new")),
            value("new"),
            "another tree"
        );
        mvcc.publish(&TouchedSlots::new());
        assert_eq!(
            mvcc.published(Tree::Integrations, b"k", value("new")),
            value("new")
        );
    }

    #[test]
    fn a_held_version_stays_as_it_was_through_many_commits() {
        let mvcc = Mvcc::new(u64::MAX);
        let held = mvcc.pin();
        for before in [None, value("1"), value("2")] {
            mvcc.record_undo(old("k", before));
            mvcc.publish(&TouchedSlots::new());
        }

        assert_eq!(mvcc.as_of(held, Tree::Integrations, b"k", value("3")), None);

        let later = mvcc.pin();
        assert_eq!(
            mvcc.as_of(later, Tree::Integrations, b"k", value("3")),
            value("3")
        );
        mvcc.unpin(held);
        mvcc.unpin(later);
        assert_eq!(
            mvcc.undo_len.load(Ordering::SeqCst),
            0,
            "nothing is undo_len for nobody"
        );
    }

    #[test]
    fn a_range_gets_back_what_was_removed_and_loses_what_was_added() {
        let mvcc = Mvcc::new(u64::MAX);
        let held = mvcc.pin();
        let undo = [("b", value("B")), ("c", None), ("z", value("Z"))]
            .map(|(key, before)| ((Tree::Integrations, key.as_bytes().to_vec()), before));
        mvcc.record_undo(UndoLog::from_iter(undo));
        mvcc.publish(&TouchedSlots::new());
        let bounds = (
            Bound::Included(b"a".to_vec()),
            Bound::Excluded(b"x".to_vec()),
        );
        let found = [("a", "A"), ("c", "C")]
            .map(|(k, v)| (k.as_bytes().to_vec(), value(v).unwrap()))
            .to_vec();
        let seen = mvcc.range_as_of(held, Tree::Integrations, &bounds, found);
        let keys: Vec<_> = seen.iter().map(|(key, _)| key.as_slice()).collect();
        assert_eq!(keys, [b"a", b"b"]);
    }

    #[test]
    fn a_range_over_a_whole_tree_has_nothing_of_another() {
        let mvcc = Mvcc::new(u64::MAX);
        let held = mvcc.pin();
        mvcc.record_undo(old("b", value("B")));
        mvcc.publish(&TouchedSlots::new());

        let everything = (Bound::Unbounded, Bound::Unbounded);
        for (tree, expected) in [
            (Tree::Accounts, 0),
            (Tree::Integrations, 1),
            (Tree::IntegrationsByAccount, 0),
        ] {
            let seen = mvcc.range_as_of(held, tree, &everything, Vec::new());
            assert_eq!(seen.len(), expected, "{tree:?}");
        }
    }

    /// Whoever read slowly while others wrote made the server keep all that was changed.
    #[test]
    fn old_values_beyond_the_budget_cost_the_oldest_readers_their_view() {
        let large = || value(&"x".repeat(10_000));
        let mvcc = Mvcc::new(25_000);
        let commit = |key: &str| {
            mvcc.record_undo(old(key, large()));
            mvcc.publish(&TouchedSlots::new());
        };

        let first = mvcc.pin();
        commit("a");
        let second = mvcc.pin();

        commit("b");
        assert!(mvcc.is_readable(first) && mvcc.is_readable(second));
        commit("c");
        assert!(!mvcc.is_readable(first), "three values do not fit");
        assert!(mvcc.is_readable(second));
        assert_eq!(
            mvcc.as_of(second, Tree::Integrations, b"b", value("new")),
            large()
        );

        for number in 0..100 {
            commit(&number.to_string());
            assert!(mvcc.bytes() <= 25_000, "{} bytes", mvcc.bytes());
        }

        assert!(!mvcc.is_readable(second));
        let third = mvcc.pin();
        assert!(
            mvcc.is_readable(third),
            "who comes later is no worse for it"
        );
        [first, second, third]
            .iter()
            .for_each(|version| mvcc.unpin(*version));
        assert_eq!((mvcc.bytes(), mvcc.undo_len.load(Ordering::SeqCst)), (0, 0));
    }

    #[test]
    fn whoever_reads_the_store_of_now_is_never_given_up() {
        let mvcc = Mvcc::new(0);
        mvcc.record_undo(old("a", value("A")));
        mvcc.publish(&TouchedSlots::new());
        let held = mvcc.pin();
        mvcc.record_undo(old("a", value("B")));
        assert_eq!(
            mvcc.as_of(held, Tree::Integrations, b"a", value("C")),
            value("B")
        );
        assert!(mvcc.is_readable(held));
    }
}
