//! The view and the changes of one command.

mod dedup;
mod records;

use super::{
    StoreError,
    entries::{Changes, Stored},
    local::Engine,
    replica::Replica,
    trees::{self, Tree},
};
use std::{
    collections::BTreeSet,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The state that earlier commands have left, and the changes of this one, which count only if it
/// succeeds.
#[derive(Debug)]
pub struct Transaction<'a> {
    replica: &'a Replica,
    /// Changes of earlier commands of the same commit.
    earlier: &'a Changes,
    changes: Changes,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(replica: &'a Replica, earlier: &'a Changes) -> Self {
        Self {
            replica,
            earlier,
            changes: Changes::default(),
        }
    }

    /// Reads from the engine, which panics on some disk errors and is unusable afterwards. A
    /// command that panics by itself is another matter.
    fn read_engine<T>(
        &self,
        read: impl FnOnce(&Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.replica.read(read)));
        outcome.unwrap_or_else(|_panic| {
            self.replica
                .fail(StoreError::damaged("the storage engine crashed"));
            Err(StoreError::Unavailable)
        })
    }

    /// The uncommitted change of a key, by this command or an earlier one of the same commit.
    fn pending(&self, tree: Tree, key: &[u8]) -> Option<&Option<Stored>> {
        self.changes
            .get(tree, key)
            .or_else(|| self.earlier.get(tree, key))
    }

    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        match self.pending(tree, key) {
            Some(changed) => Ok(changed.clone()),
            None => self.read_engine(|engine| engine.get(tree, key)),
        }
    }

    /// The first keys of a tree, without those that this commit has removed or added.
    pub(super) fn first_keys(&self, tree: Tree, most: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let is_removed = |key: &Vec<u8>| self.pending(tree, key).is_some_and(Option::is_none);

        self.read_engine(|engine| {
            let entries = engine.range(tree, (Bound::Unbounded, Bound::Unbounded));
            let keys = entries.map(|entry| entry.map(|(key, _)| key));
            keys.filter(|key| !key.as_ref().is_ok_and(is_removed))
                .take(most)
                .collect()
        })
    }

    /// All keys with a prefix, in order, with those that this commit has added and without those
    /// that it has removed.
    pub(super) fn keys_below(&self, tree: Tree, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let (lower, upper) = (prefix.to_vec(), trees::prefix_end(prefix));
        let bounds = (
            Bound::Included(lower.clone()),
            Bound::Excluded(upper.clone()),
        );
        let mut keys = self.read_engine(|engine| {
            let found = engine
                .range(tree, bounds)
                .map(|entry| entry.map(|(key, _)| key));
            found.collect::<Result<BTreeSet<_>, _>>()
        })?;

        // In this order, since the changes of this command are later.
        for changes in [self.earlier, &self.changes] {
            for (key, value) in changes.tree(tree).range(lower.clone()..upper.clone()) {
                match value {
                    Some(_) => keys.insert(key.clone()),
                    None => keys.remove(key),
                };
            }
        }

        Ok(keys.into_iter().collect())
    }

    pub(super) fn put(&mut self, tree: Tree, key: Vec<u8>, value: Stored) {
        self.changes.insert(tree, key, Some(value));
    }

    pub(super) fn remove(&mut self, tree: Tree, key: Vec<u8>) {
        self.changes.insert(tree, key, None);
    }

    pub(super) fn into_changes(self) -> Changes {
        self.changes
    }
}
