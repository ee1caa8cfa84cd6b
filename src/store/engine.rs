//! The waist of the store: get, range, and an apply that is atomic and durable. The only file that
//! talks to sled.
//!
//! What sled 0.34 leaves to us (each of it was measured, see docs/storage.md): `flush` alone
//! survives a kill but not a power cut, so the file is synced through a handle of our own; large
//! values lie in files of their own, which sled does not sync at all; separate writes to several
//! trees tear, a multi-tree transaction does not.

use super::{
    StoreError,
    trees::{self, Tree},
    watermark::Watermark,
};
use sled::{IVec, Transactional};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs::File,
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A stored value. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored(IVec);

impl AsRef<[u8]> for Stored {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Stored {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// A key, with the tree it is in.
pub(super) type TreeKey = (Tree, Vec<u8>);

/// What a commit changes: a new value, or `None` to remove.
pub(super) type Changes = BTreeMap<TreeKey, Option<Stored>>;

/// A stretch of keys.
pub(super) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// A key and its value.
pub(super) type Entry = (Vec<u8>, Stored);

/// What becomes of a tree that is not in the file, which one of an earlier version may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MissingTree {
    /// It is made.
    Create,
    /// It looks empty. Such an engine is for reading only.
    TreatAsEmpty,
}

/// sled, and what makes it durable.
#[derive(Debug)]
pub(super) struct Engine {
    db: sled::Db,
    trees: [sled::Tree; Tree::ALL.len()],
    /// The number of the last commit that was applied.
    commit: AtomicU64,
    /// `None` for a store that need not survive.
    disk: Option<Disk>,
}

impl Engine {
    pub(super) fn new(
        db: sled::Db,
        disk: Option<Disk>,
        missing: MissingTree,
    ) -> Result<Self, StoreError> {
        let present = db.tree_names();
        let opened = Tree::ALL.iter().map(|tree| match missing {
            // sled's own tree, in which nothing is.
            MissingTree::TreatAsEmpty
                if !present.iter().any(|name| **name == *tree.name().as_bytes()) =>
            {
                Ok((*db).clone())
            }
            MissingTree::TreatAsEmpty | MissingTree::Create => db.open_tree(tree.name()),
        });

        let opened = opened.collect::<Result<Vec<_>, _>>()?;
        let trees = opened
            .try_into()
            .map_err(|_| StoreError::damaged("a tree is missing"))?;
        let engine = Self {
            db,
            trees,
            commit: AtomicU64::new(0),
            disk,
        };

        if let Some(number) = engine.get(Tree::Meta, trees::COMMIT)? {
            let number = number
                .as_ref()
                .try_into()
                .map_err(|_| StoreError::damaged("its last commit has no number"))?;
            engine
                .commit
                .store(u64::from_be_bytes(number), Ordering::SeqCst);
        }

        Ok(engine)
    }

    /// How many commits that were acknowledged are missing. It should be none.
    pub(super) fn missing_commits(&self) -> io::Result<u64> {
        let acknowledged = self
            .disk
            .as_ref()
            .map_or(Ok(0), |disk| disk.watermark.get())?;
        Ok(acknowledged.saturating_sub(self.commit.load(Ordering::SeqCst)))
    }

    fn tree(&self, tree: Tree) -> &sled::Tree {
        let [first, ..] = &self.trees;
        // They stand where their numbers say, and there are as many.
        self.trees.get(tree as usize).unwrap_or(first)
    }

    /// The value at `key`, as last applied; it may not be durable yet.
    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        Ok(self.tree(tree).get(key)?.map(Stored))
    }

    /// Entries in key order, from either end.
    pub(super) fn range(
        &self,
        tree: Tree,
        bounds: Bounds,
    ) -> impl DoubleEndedIterator<Item = Result<Entry, StoreError>> + use<> {
        self.tree(tree).range::<Vec<u8>, _>(bounds).map(|entry| {
            let (key, value) = entry?;
            Ok((key.to_vec(), Stored(value)))
        })
    }

    /// Writes one entry into a store that nobody uses yet: neither atomic with others nor durable.
    pub(super) fn load(&self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.tree(tree).insert(key, value)?;
        Ok(())
    }

    /// Makes all changes in one atomic step, visible at once, durable only after
    /// [`sync`](Self::sync).
    pub(super) fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let number = self.commit.load(Ordering::SeqCst).saturating_add(1);
        let outcome = self.trees[..].transaction(|trees| {
            if let Some(meta) = trees.get(Tree::Meta as usize) {
                meta.insert(trees::COMMIT, &number.to_be_bytes())?;
            }

            for ((tree, key), value) in changes {
                let Some(target) = trees.get(*tree as usize) else {
                    continue;
                };
                match value {
                    Some(Stored(value)) => target.insert(key.as_slice(), value)?,
                    None => target.remove(key.as_slice())?,
                };
            }

            Ok(())
        });

        outcome.map_err(|error| match error {
            sled::transaction::TransactionError::Storage(error) => StoreError::Engine(error),
            sled::transaction::TransactionError::Abort(()) => {
                StoreError::damaged("a transaction was aborted")
            }
        })?;
        self.commit.store(number, Ordering::SeqCst);

        Ok(())
    }

    /// Makes all that was applied survive a power cut.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };

        let io = |source| StoreError::Sync(Arc::new(source));
        // What this commit put into files of its own must be there before the log that refers to it
        // can be.
        let blobs = disk.sync_new_blobs().map_err(io)?;
        self.db.flush()?;

        let synced = disk
            .sync(blobs)
            .and_then(|()| disk.watermark.set(self.commit.load(Ordering::SeqCst)));

        synced.map_err(io)
    }

    /// Names of trees in the file that are none of ours. sled's own default tree is always there,
    /// and empty.
    pub(super) fn unknown_trees(&self) -> Vec<String> {
        let default = self.db.is_empty().then(|| self.db.name());
        let known: BTreeSet<&[u8]> = Tree::ALL
            .iter()
            .map(|tree| tree.name().as_bytes())
            .chain(default.as_deref())
            .collect();
        let names = self.db.tree_names();

        names
            .iter()
            .filter(|name| !known.contains(&***name))
            .map(|n| String::from_utf8_lossy(n).into_owned())
            .collect()
    }

    pub(super) fn size_on_disk(&self) -> u64 {
        self.db.size_on_disk().unwrap_or_default()
    }
}

/// Our own handles of sled's files.
#[derive(Debug)]
pub(super) struct Disk {
    log: File,
    watermark: Watermark,
    blobs: PathBuf,
    synced_blobs: Mutex<BTreeSet<OsString>>,
}

impl Disk {
    /// Takes handles of the store in `folder`, and makes its files and their names durable as they
    /// are now.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let disk = Self {
            log: File::options().write(true).open(folder.join("db"))?,
            watermark: Watermark::open(folder)?,
            blobs: folder.join("blobs"),
            synced_blobs: Mutex::default(),
        };

        for file in ["conf", "db"] {
            File::open(folder.join(file))?.sync_all()?;
        }

        disk.sync_blobs()?;
        sync_parent_folders(folder)?;
        Ok(disk)
    }

    /// After `flush`: every large value that the log refers to now is written to its end. Those
    /// that came meanwhile may be needed too, but not be whole, so only the ones that were there
    /// `before` are not synced again.
    fn sync(&self, before: BTreeSet<OsString>) -> io::Result<()> {
        self.sync_new_blobs()?;
        *self
            .synced_blobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = before;
        self.log.sync_data()
    }

    fn sync_blobs(&self) -> io::Result<()> {
        let blobs = self.sync_new_blobs()?;
        *self
            .synced_blobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = blobs;
        Ok(())
    }

    /// Syncs the large values that were not there last time, and their names. Nearly always there
    /// is none. A reader may be writing one just now, so none counts as synced yet. Returns all
    /// that are there.
    fn sync_new_blobs(&self) -> io::Result<BTreeSet<OsString>> {
        let present = std::fs::read_dir(&self.blobs)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<BTreeSet<_>>>()?;
        if self.sync_files(&present)? {
            File::open(&self.blobs)?.sync_all()?;
        }
        Ok(present)
    }

    /// Whether there were any.
    fn sync_files(&self, present: &BTreeSet<OsString>) -> io::Result<bool> {
        let synced = self
            .synced_blobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);

        for name in present.difference(&synced) {
            match File::open(self.blobs.join(name)) {
                Ok(blob) => blob.sync_all()?,
                // The engine removed it meanwhile; nothing points to it any more.
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
                Err(other) => return Err(other),
            }
        }

        Ok(!present.is_subset(&synced))
    }
}

/// Makes the folder's name durable, and those of all folders above it, any of which may have been
/// made just now.
fn sync_parent_folders(folder: &Path) -> io::Result<()> {
    for folder in folder.canonicalize()?.ancestors() {
        match File::open(folder).and_then(|folder| folder.sync_all()) {
            // A folder that we may not read was not made by us.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            outcome => outcome?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_stand_where_their_number_says() {
        for (position, tree) in Tree::ALL.into_iter().enumerate() {
            assert_eq!(
                tree as usize, position,
                "apply() finds a tree by its number"
            );
        }
    }
}
