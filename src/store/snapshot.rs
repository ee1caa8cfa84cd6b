//! A consistent view: every read of it shows the store as of one commit, while writers go on.

use super::{
    StoreError,
    engine::{Bounds, Entry, Stored},
    opened::{Opened, Shared},
    trees::Tree,
    versions::Version,
};
use std::{collections::VecDeque, ops::Bound, sync::Arc};

/// The store as of one published commit. What changes meanwhile is kept in memory for it, so it should not be held for
/// longer than a request needs.
#[derive(Debug)]
pub struct Snapshot {
    shared: Arc<Shared>,
    opened: Arc<Opened>,
    version: Version,
}

impl Snapshot {
    pub(super) fn new(shared: &Arc<Shared>) -> Result<Self, StoreError> {
        // The engine first: while it is held nobody opens another, so the version is one of this engine.
        let opened = shared.hold()?;
        let version = shared.versions.hold();
        Ok(Self { shared: Arc::clone(shared), opened, version })
    }

    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        let found = self.opened.read(|engine| engine.get(tree, key))?;
        Ok(self.shared.versions.as_of(self.version, tree, key, found))
    }

    /// Entries from `lower` to before `upper`, in key order or in reverse, read in portions of `portion`.
    pub(super) fn scan(&self, tree: Tree, lower: Vec<u8>, upper: Vec<u8>, reverse: bool, portion: usize) -> Scan<'_> {
        let rest = Some((Bound::Included(lower), Bound::Excluded(upper)));
        Scan { snapshot: self, tree, rest, reverse, portion: portion.max(1), ready: VecDeque::new() }
    }

    /// All entries of a tree in key order, read in portions of `portion`.
    pub(super) fn scan_all(&self, tree: Tree, portion: usize) -> Scan<'_> {
        let rest = Some((Bound::Unbounded, Bound::Unbounded));
        Scan { snapshot: self, tree, rest, reverse: false, portion: portion.max(1), ready: VecDeque::new() }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.shared.versions.release(self.version);
    }
}

/// Walks a range of a snapshot.
pub(super) struct Scan<'a> {
    snapshot: &'a Snapshot,
    tree: Tree,
    /// What has not been read yet; `None` at the end or after a fault.
    rest: Option<Bounds>,
    reverse: bool,
    portion: usize,
    ready: VecDeque<Entry>,
}

impl Scan<'_> {
    /// Reads the next portion of the engine and corrects it for exactly the stretch of keys that it covers.
    fn refill(&mut self) -> Result<(), StoreError> {
        let Some(bounds) = self.rest.take() else { return Ok(()) };
        let (lower, upper) = bounds.clone();
        let mut found = self.snapshot.opened.read(|engine| {
            let entries = engine.range(self.tree, bounds);
            if self.reverse {
                entries.rev().take(self.portion).collect::<Result<Vec<_>, _>>()
            } else {
                entries.take(self.portion).collect()
            }
        })?;
        let last = (found.len() == self.portion).then(|| found.last().map(|(key, _)| key.clone())).flatten();
        let covered = match last {
            None => (lower, upper),
            Some(last) if self.reverse => {
                self.rest = Some((lower, Bound::Excluded(last.clone())));
                (Bound::Included(last), upper)
            }
            Some(last) => {
                self.rest = Some((Bound::Excluded(last.clone()), upper));
                (lower, Bound::Included(last))
            }
        };
        if self.reverse {
            found.reverse();
        }
        let snapshot = self.snapshot;
        let mut seen = snapshot.shared.versions.range_as_of(snapshot.version, self.tree, &covered, found);
        if self.reverse {
            seen.reverse();
        }
        self.ready = seen.into();
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(Ok(entry));
            }
            // A portion may be empty though more follows: all of it may have been added after this view.
            self.rest.as_ref()?;
            if let Err(error) = self.refill() {
                self.rest = None;
                return Some(Err(error));
            }
        }
    }
}
