//! Fills a new store so that it is small, and checksums it so that it can be verified.
//!
//! The engine rewrites a leaf with all its values on every split, and reclaims the space late. So
//! the store is filled in two passes: first all keys, with small values as they are and large ones
//! empty, which gives the trees their shape; then the large values, each of which is written
//! exactly once. In key order, with the index trees first, the new store takes half the space that
//! it would otherwise.

use super::{ArchiveError, Progress};
use crate::store::{
    collection::COLLECTIONS,
    local::Engine,
    trees::{self, Tree},
};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, ops::Bound};

/// Number of entries, and a digest of them in key order.
#[derive(Clone, Debug, Default)]
struct TreeChecksum {
    entries: u64,
    digest: Sha256,
}

impl TreeChecksum {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.saturating_add(1);
        for part in [key, value] {
            // The length keeps ("a", "bc") and ("ab", "c") apart.
            self.digest
                .update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.digest.update(part);
        }
    }
}

/// The checksums of all trees.
#[derive(Clone, Debug, Default)]
pub(super) struct Checksums(BTreeMap<Tree, TreeChecksum>);

impl Checksums {
    fn add(&mut self, tree: Tree, key: &[u8], value: &[u8]) {
        self.0.entry(tree).or_default().add(key, value);
    }

    /// Reads a whole store.
    pub(super) fn of(engine: &Engine, progress: &Progress) -> Result<Self, ArchiveError> {
        let mut sums = Self::default();
        for tree in Tree::ALL {
            for entry in engine.range(tree, (Bound::Unbounded, Bound::Unbounded)) {
                let (key, value) = entry?;
                if !is_store_specific(tree, &key) {
                    sums.add(tree, &key, value.as_ref());
                    progress.advance(1)?;
                }
            }
        }
        Ok(sums)
    }

    /// The first tree in which two stores differ.
    pub(super) fn differs_in(&self, other: &Self) -> Option<Tree> {
        let of = |sums: &Self, tree| {
            let TreeChecksum { entries, digest } = sums.0.get(&tree).cloned().unwrap_or_default();
            (entries, digest.finalize())
        };
        Tree::ALL
            .into_iter()
            .find(|tree| of(self, *tree) != of(other, *tree))
    }

    /// The number of entries of all trees.
    pub(super) fn entries(&self) -> u64 {
        self.0
            .values()
            .fold(0, |sum, tree| sum.saturating_add(tree.entries))
    }
}

/// Whether an entry describes the store's files and not its contents, so that another store has its
/// own.
pub(super) fn is_store_specific(tree: Tree, key: &[u8]) -> bool {
    tree == Tree::Meta && key == trees::COMMIT
}

/// Whether entries of this tree count as steps. Only the number of objects is known without reading
/// everything.
pub(super) fn counts_as_progress(tree: Tree) -> bool {
    COLLECTIONS
        .into_iter()
        .any(|collection| tree == collection.records || tree == collection.index)
}

/// Steps for this many objects: a record and an index entry each.
pub(in crate::store) fn entries_for_objects(objects: u64) -> u64 {
    objects.saturating_mul(2)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Keys,
    Values,
}

/// Writes the entries of a new store. Those of one tree must arrive in key order.
pub(super) struct Loader<'a> {
    engine: &'a Engine,
    pass: Pass,
    sums: Checksums,
    progress: &'a Progress,
}

/// Passes all entries to a [`Loader`]; called once per pass.
pub(super) type Fill<'a> = dyn FnMut(&mut Loader<'_>) -> Result<(), ArchiveError> + 'a;

/// Fills an empty store. `objects` is the expected number of objects.
pub(super) fn load(
    engine: &Engine,
    objects: u64,
    progress: &Progress,
    fill: &mut Fill<'_>,
) -> Result<Checksums, ArchiveError> {
    let mut loader = Loader {
        engine,
        pass: Pass::Keys,
        sums: Checksums::default(),
        progress,
    };

    progress.begin("writing keys", entries_for_objects(objects));
    fill(&mut loader)?;
    progress.end();
    loader.pass = Pass::Values;
    progress.begin("writing records", objects);
    fill(&mut loader)?;
    progress.end();

    Ok(loader.sums)
}

impl Loader<'_> {
    /// The trees of this pass, in the order in which they are best filled.
    pub(super) fn trees(&self) -> Vec<Tree> {
        let (large, small): (Vec<_>, Vec<_>) = Tree::ALL
            .into_iter()
            .partition(|tree| has_large_values(*tree));
        match self.pass {
            Pass::Keys => [small, large].concat(),
            Pass::Values => large,
        }
    }

    /// Whether this pass writes the tree.
    pub(super) fn wants(&self, tree: Tree) -> bool {
        self.pass == Pass::Keys || has_large_values(tree)
    }

    /// Whether this pass ignores the values of the tree.
    pub(super) fn wants_key_only(&self, tree: Tree) -> bool {
        self.pass == Pass::Keys && has_large_values(tree)
    }

    pub(super) fn put(&mut self, tree: Tree, key: &[u8], value: &[u8]) -> Result<(), ArchiveError> {
        if is_store_specific(tree, key) || !self.wants(tree) {
            return Ok(());
        }
        if self.wants_key_only(tree) {
            self.engine.load(tree, key, &[])?;
        } else {
            self.engine.load(tree, key, value)?;
            self.sums.add(tree, key, value);
        }
        Ok(self.progress.advance(u64::from(counts_as_progress(tree)))?)
    }
}

fn has_large_values(tree: Tree) -> bool {
    match tree {
        Tree::Integrations
        | Tree::Alerts
        | Tree::Logs
        | Tree::Idempotency
        | Tree::Deliveries
        | Tree::Users
        | Tree::Teams => true,
        Tree::Meta
        | Tree::Accounts
        | Tree::IntegrationsByAccount
        | Tree::AlertsByAccount
        | Tree::AlertsByThirdparty
        | Tree::LogsByAccount
        | Tree::SendersByAccount
        | Tree::Queues
        | Tree::IdempotencyByTime
        | Tree::UsersByAccount
        | Tree::TeamsByAccount => false,
    }
}
