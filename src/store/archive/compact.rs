//! Rewrites a stopped store as compactly as possible.

use super::{
    ArchiveError, Progress,
    high_water_marks::count_live,
    load::Loader,
    offline,
    store_files::size_on_disk,
    swap::{NewStore, StoreSwap},
};
use crate::store::{
    StoreError,
    local::Engine,
    trees::{self, Tree},
};
use std::{ops::Bound, path::Path};

/// Size of all files of the store, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactSummary {
    /// Before compaction.
    pub before: u64,
    /// After compaction.
    pub after: u64,
}

/// Copies everything into a new store, which replaces the old one.
///
/// # Errors
/// The store is locked or damaged, or the disk has no room for both. The store is unchanged.
pub fn compact(
    folder: &Path,
    cache_bytes: u64,
    progress: &Progress,
) -> Result<CompactSummary, ArchiveError> {
    let (own_folder, progress) = (folder.to_owned(), progress.clone());
    offline::catch_engine_panic(folder, move || {
        let old = offline::open_existing(&own_folder, cache_bytes)?;
        // The open engine holds the lock until the swap is complete.
        let swap = StoreSwap::prepare(&own_folder)?;
        let size = || size_on_disk(&own_folder).map_err(ArchiveError::file(&own_folder, "read"));
        let before = size()?;
        let objects = count_live(old.range(Tree::Accounts, (Bound::Unbounded, Bound::Unbounded)));
        let new_store = NewStore {
            cache_bytes,
            token_secret: secret(&old)?,
            objects,
            replaces: true,
        };

        swap.rebuild(&new_store, &progress, &mut |loader| copy(&old, loader))?;
        // The old files are in use until here.
        drop(old);
        swap.remove_old();

        Ok(CompactSummary {
            before,
            after: size()?,
        })
    })
}

/// The token secret. Without it, opening the new store would generate another one.
fn secret(old: &Engine) -> Result<String, StoreError> {
    if let Some(tree) = old.unknown_trees().first() {
        return Err(StoreError::damaged(format!("unknown tree '{tree}'")));
    }
    let secret = old
        .get(Tree::Meta, trees::TOKEN_SECRET)?
        .and_then(|secret| String::from_utf8(secret.as_ref().to_vec()).ok());
    secret
        .filter(|secret| !secret.is_empty())
        .ok_or_else(|| StoreError::damaged("the token secret is missing"))
}

fn copy(old: &Engine, loader: &mut Loader<'_>) -> Result<(), ArchiveError> {
    for tree in loader.trees() {
        for entry in old.range(tree, (Bound::Unbounded, Bound::Unbounded)) {
            let (key, value) = entry?;
            loader.put(tree, &key, value.as_ref())?;
        }
    }
    Ok(())
}
