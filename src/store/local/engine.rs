//! Wraps sled: get, range, and an apply that is atomic and, after a sync, durable.
//!
//! sled 0.34 leaves three things to us, all measured (see docs/storage.md): `flush` survives a kill
//! but not a power cut, so the log is synced through a file handle of our own; large values lie in
//! files of their own, which sled does not sync at all; and separate writes to several trees are
//! not atomic, so every commit is one multi-tree transaction.

use super::disk::Disk;
use crate::store::{
    StoreError,
    entries::{Bounds, Changes, Entry, Stored},
    trees::{self, Tree},
};
use sled::Transactional;
use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// What to do about a tree that the files lack, as those of an earlier version may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum MissingTree {
    /// Create it.
    Create,
    /// Treat it as empty. The engine must only be read.
    TreatAsEmpty,
}

/// An open sled database.
#[derive(Debug)]
pub(in crate::store) struct Engine {
    db: sled::Db,
    trees: [sled::Tree; Tree::ALL.len()],
    /// The number of the last applied commit.
    commit: AtomicU64,
    /// `None` for an ephemeral store.
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
            // sled's default tree is empty.
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
                .map_err(|_| StoreError::damaged("the number of the last commit is malformed"))?;
            engine
                .commit
                .store(u64::from_be_bytes(number), Ordering::SeqCst);
        }

        Ok(engine)
    }

    /// The number of acknowledged commits that the store lacks: 0 unless it is damaged.
    pub(in crate::store) fn missing_commits(&self) -> io::Result<u64> {
        let acknowledged = self
            .disk
            .as_ref()
            .map_or(Ok(0), |disk| disk.acknowledged())?;
        Ok(acknowledged.saturating_sub(self.commit.load(Ordering::SeqCst)))
    }

    fn tree(&self, tree: Tree) -> &sled::Tree {
        let [first, ..] = &self.trees;
        // A tree's number is its position, and all are open.
        self.trees.get(tree as usize).unwrap_or(first)
    }

    /// The value at `key`, as last applied; it may not be durable yet.
    pub(in crate::store) fn get(
        &self,
        tree: Tree,
        key: &[u8],
    ) -> Result<Option<Stored>, StoreError> {
        Ok(self.tree(tree).get(key)?.map(Stored::from_buffer))
    }

    /// The entries of a range in key order, from either end.
    pub(in crate::store) fn range(
        &self,
        tree: Tree,
        bounds: Bounds,
    ) -> impl DoubleEndedIterator<Item = Result<Entry, StoreError>> + use<> {
        self.tree(tree).range::<Vec<u8>, _>(bounds).map(|entry| {
            let (key, value) = entry?;
            Ok((key.to_vec(), Stored::from_buffer(value)))
        })
    }

    /// Writes one entry of a store that is being built: neither atomic with others nor durable.
    pub(in crate::store) fn load(
        &self,
        tree: Tree,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StoreError> {
        self.tree(tree).insert(key, value)?;
        Ok(())
    }

    /// Applies all changes in one atomic step. They are visible at once and durable after
    /// [`sync`](Self::sync).
    pub(in crate::store) fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let number = self.commit.load(Ordering::SeqCst).saturating_add(1);
        let outcome = self.trees[..].transaction(|trees| {
            // In the same transaction as the changes, so that the number says which of them are
            // there.
            if let Some(meta) = trees.get(Tree::Meta as usize) {
                meta.insert(trees::COMMIT, &number.to_be_bytes())?;
            }

            for (tree, key, value) in changes.iter() {
                let Some(target) = trees.get(tree as usize) else {
                    continue;
                };
                match value {
                    Some(value) => target.insert(key.as_slice(), value.buffer())?,
                    None => target.remove(key.as_slice())?,
                };
            }

            Ok(())
        });

        outcome.map_err(|error| match error {
            sled::transaction::TransactionError::Storage(error) => error.into(),
            sled::transaction::TransactionError::Abort(()) => {
                StoreError::damaged("a transaction was aborted")
            }
        })?;
        // Only after success: a number that was not applied must not be acknowledged by `sync`.
        self.commit.store(number, Ordering::SeqCst);

        Ok(())
    }

    /// Makes everything applied durable.
    pub(in crate::store) fn sync(&self) -> Result<(), StoreError> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };

        let io = |source| StoreError::Sync(Arc::new(source));
        // Blob files must be durable before the log that refers to them.
        let blobs = disk.sync_new_blobs().map_err(io)?;
        self.db.flush()?;

        let synced = disk
            .sync(blobs)
            .and_then(|()| disk.acknowledge(self.commit.load(Ordering::SeqCst)));

        synced.map_err(io)
    }

    /// Names of trees that are not ours. sled's own default tree always exists, and is empty.
    pub(in crate::store) fn unknown_trees(&self) -> Vec<String> {
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

    pub(in crate::store) fn size_on_disk(&self) -> u64 {
        self.db.size_on_disk().unwrap_or_default()
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            // The checksum of one page is wrong. The engine still works.
            sled::Error::Corruption { .. } => Self::Damaged(error.to_string()),
            other => Self::Engine(Arc::new(other)),
        }
    }
}
