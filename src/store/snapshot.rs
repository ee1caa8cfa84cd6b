//! Snapshots: consistent views of the store as of one commit, while the writer keeps committing.

mod any_case;
mod indexed;
mod records;

pub use indexed::IndexedSnapshot;

use super::{
    StoreError,
    entries::{Bounds, Entry, Stored},
    mvcc::Version,
    replica::Replica,
    trees::Tree,
};
use std::{
    collections::VecDeque,
    ops::Bound,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

/// The store as of one published commit. Old values are kept in memory for it, so it should not be
/// held for longer than a request needs.
#[derive(Debug)]
pub struct Snapshot {
    replica: Arc<Replica>,
    version: Version,
}

impl Snapshot {
    pub(super) fn new(replica: Arc<Replica>) -> Self {
        let version = replica.mvcc.pin();
        Self { replica, version }
    }

    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        let found = self.replica.read(|engine| engine.get(tree, key))?;
        let seen = self.replica.mvcc.as_of(self.version, tree, key, found);
        // After the read: the old value may have been dropped while the engine was read.
        self.is_readable().map(|()| seen)
    }

    /// Lets a slow reader check when to drop the snapshot.
    pub fn expiry(&self) -> Expiry {
        Expiry {
            replica: Arc::downgrade(&self.replica),
            draining: self.replica.draining(),
            version: self.version,
        }
    }

    fn is_readable(&self) -> Result<(), StoreError> {
        if self.replica.mvcc.is_readable(self.version) {
            Ok(())
        } else {
            Err(StoreError::SnapshotExpired)
        }
    }

    /// The entries in `lower..upper`, in key order or in reverse, read in chunks of `chunk_len`.
    pub(super) fn scan(
        &self,
        tree: Tree,
        lower: Vec<u8>,
        upper: Vec<u8>,
        reverse: bool,
        chunk_len: usize,
    ) -> Scan<'_> {
        let rest = Some((Bound::Included(lower), Bound::Excluded(upper)));
        Scan {
            snapshot: self,
            tree,
            rest,
            reverse,
            chunk_len: chunk_len.max(1),
            ready: VecDeque::new(),
        }
    }

    /// All entries of a tree in key order, read in chunks of `chunk_len`.
    pub(super) fn scan_all(&self, tree: Tree, chunk_len: usize) -> Scan<'_> {
        let rest = Some((Bound::Unbounded, Bound::Unbounded));
        Scan {
            snapshot: self,
            tree,
            rest,
            reverse: false,
            chunk_len: chunk_len.max(1),
            ready: VecDeque::new(),
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.replica.mvcc.unpin(self.version);
    }
}

/// Tells when a snapshot must be dropped. A slow reader checks it while it waits between two reads,
/// because recovery waits for the snapshot to be dropped.
#[derive(Debug)]
pub struct Expiry {
    /// Weak, so that it does not keep the engine open.
    replica: Weak<Replica>,
    draining: Arc<AtomicBool>,
    version: Version,
}

impl Expiry {
    /// Why the snapshot must be dropped, if it must.
    pub fn reason(&self) -> Option<StoreError> {
        if self.draining.load(Ordering::Relaxed) {
            return Some(StoreError::Unavailable);
        }
        match self.replica.upgrade() {
            None => Some(StoreError::Unavailable),
            Some(replica) => {
                (!replica.mvcc.is_readable(self.version)).then_some(StoreError::SnapshotExpired)
            }
        }
    }
}

/// Approximate size of a chunk. A chunk of large entries has few of them.
const MAX_CHUNK_BYTES: usize = 4 << 20;

/// Iterates over a range of a snapshot.
pub(super) struct Scan<'a> {
    snapshot: &'a Snapshot,
    tree: Tree,
    /// The range left to read; `None` at the end or after an error.
    rest: Option<Bounds>,
    reverse: bool,
    chunk_len: usize,
    ready: VecDeque<Entry>,
}

impl Scan<'_> {
    /// Reads the next chunk of the engine and corrects it for exactly the stretch of keys that
    /// it covers.
    fn refill(&mut self) -> Result<(), StoreError> {
        let Some(bounds) = self.rest.take() else {
            return Ok(());
        };

        let (lower, upper) = bounds.clone();
        let (mut found, is_full) = self.snapshot.replica.read(|engine| {
            let entries = engine.range(self.tree, bounds);
            if self.reverse {
                read_chunk(entries.rev(), self.chunk_len)
            } else {
                read_chunk(entries, self.chunk_len)
            }
        })?;
        // Keys that were removed after this view are in the undo log alone. So the stretch that the
        // chunk covers matters, and not only the keys that it found.
        let last = is_full
            .then(|| found.last().map(|(key, _)| key.clone()))
            .flatten();
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
        let mut seen =
            snapshot
                .replica
                .mvcc
                .range_as_of(snapshot.version, self.tree, &covered, found);

        if self.reverse {
            seen.reverse();
        }

        self.ready = seen.into();
        snapshot.is_readable()
    }
}

/// The first entries, and whether there may be more.
fn read_chunk(
    entries: impl Iterator<Item = Result<Entry, StoreError>>,
    most: usize,
) -> Result<(Vec<Entry>, bool), StoreError> {
    let (mut taken, mut bytes) = (Vec::new(), 0_usize);
    for entry in entries {
        let (key, value) = entry?;
        bytes = bytes
            .saturating_add(key.len())
            .saturating_add(value.as_ref().len());
        taken.push((key, value));
        if taken.len() >= most || bytes >= MAX_CHUNK_BYTES {
            return Ok((taken, true));
        }
    }

    Ok((taken, false))
}

impl Iterator for Scan<'_> {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(Ok(entry));
            }
            // A chunk may be empty though more follows: all of it may have been added after
            // this view.
            self.rest.as_ref()?;
            if let Err(error) = self.refill() {
                (self.rest, self.ready) = (None, VecDeque::new());
                return Some(Err(error));
            }
        }
    }
}
