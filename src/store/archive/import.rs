//! Imports an export into a new or existing store. The whole file is validated first; a single
//! problem prevents any change.

mod accounts;
mod new_entries;
mod plan;
mod source;

pub use accounts::read_accounts;
pub use plan::ImportIssue;

use super::{
    ArchiveError, Progress,
    high_water_marks::count_live,
    load::Loader,
    offline,
    swap::{NewStore, StoreSwap},
};
use crate::store::{
    StoreError,
    collection::COLLECTIONS,
    entries::{Entry, Stored},
    local::Engine,
    trees::{self, SCHEMA_VERSION, Tree},
};
use plan::Plan;
use source::Source;
use std::{cmp::Ordering, ops::Bound, path::PathBuf};

/// Options of [`import`].
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The export, a regular file.
    pub file: PathBuf,
    /// The folder of the store.
    pub folder: PathBuf,
    /// Cache size for each of the stores involved, in bytes.
    pub cache_bytes: u64,
    /// The token secret, in case the store does not exist yet.
    pub token_secret: String,
}

/// The result of [`import`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// The number of objects added.
    Added(u64),
    /// Nothing changed, because of these problems, in line order.
    Refused(Vec<ImportIssue>),
}

/// Adds the objects in the file to the store.
///
/// # Errors
/// The file cannot be read, or the store is locked, damaged or cannot be written. Nothing changes.
pub fn import(task: &ImportOptions, progress: &Progress) -> Result<ImportOutcome, ArchiveError> {
    let (task, progress) = (task.clone(), progress.clone());
    offline::catch_engine_panic(&task.folder.clone(), move || {
        let old = match offline::is_missing_or_empty(&task.folder) {
            true => None,
            false => Some(offline::open_existing(&task.folder, task.cache_bytes)?),
        };

        let swap = StoreSwap::prepare(&task.folder)?;
        let source = Source::open(&task.file)?;
        let mut plan = Plan::read(&source, &progress)?;

        plan.compare(old.as_ref())?;
        if !plan.issues.is_empty() {
            return Ok(ImportOutcome::Refused(plan.issues()));
        }

        let there = old.as_ref().map_or(0, |old| {
            count_live(old.range(Tree::Accounts, (Bound::Unbounded, Bound::Unbounded)))
        });

        let new_store = NewStore {
            cache_bytes: task.cache_bytes,
            token_secret: task.token_secret,
            objects: there.saturating_add(plan.objects()),
            replaces: old.is_some(),
        };

        swap.rebuild(&new_store, &progress, &mut |loader| {
            let merge = Merge {
                old: old.as_ref(),
                source: &source,
                token_secret: &new_store.token_secret,
            };
            merge.fill(&mut plan, loader)?;
            source.check_unchanged()
        })?;
        drop(old);
        swap.remove_old();

        Ok(ImportOutcome::Added(plan.objects()))
    })
}

/// Merges the old store and the new objects.
struct Merge<'a> {
    old: Option<&'a Engine>,
    source: &'a Source,
    token_secret: &'a str,
}

/// Entries in key order.
type Entries<'a> = Box<dyn Iterator<Item = Result<Entry, ArchiveError>> + 'a>;

impl Merge<'_> {
    fn fill(&self, plan: &mut Plan, loader: &mut Loader<'_>) -> Result<(), ArchiveError> {
        for tree in loader.trees() {
            plan.sort_for(tree);
            let new = self.new_entries(plan, tree, loader.wants_key_only(tree))?;
            self.merge(tree, new, loader)?;
        }
        Ok(())
    }

    fn new_entries<'a>(
        &'a self,
        plan: &'a Plan,
        tree: Tree,
        key_only: bool,
    ) -> Result<Entries<'a>, StoreError> {
        for collection in COLLECTIONS {
            if tree == collection.index {
                return Ok(Box::new(plan.index_entries(collection).map(Ok)));
            }

            if tree == collection.records {
                return Ok(Box::new(plan.records(collection).map(move |object| {
                    let record = if key_only {
                        Vec::new()
                    } else {
                        self.source.record(&object.position)?
                    };
                    Ok((object.id.as_bytes().to_vec(), record.into()))
                })));
            }
        }

        Ok(match tree {
            Tree::Meta if self.old.is_none() => Box::new(self.meta().into_iter().map(Ok)),
            Tree::Accounts => Box::new(plan.counters().map(Ok)),
            Tree::AlertsByThirdparty | Tree::SendersByAccount => {
                Box::new(plan.secondary_keys(tree, self.old)?.into_iter().map(Ok))
            }
            _ => Box::new(std::iter::empty()),
        })
    }

    fn meta(&self) -> [Entry; 2] {
        let schema = SCHEMA_VERSION.to_string().into_bytes();
        let secret = self.token_secret.as_bytes().to_vec();
        [
            (trees::SCHEMA.to_vec(), schema.into()),
            (trees::TOKEN_SECRET.to_vec(), secret.into()),
        ]
    }

    /// Merges two sorted sequences. Where both have a key, the new entry wins.
    fn merge(
        &self,
        tree: Tree,
        new: Entries<'_>,
        loader: &mut Loader<'_>,
    ) -> Result<(), ArchiveError> {
        let everything = (Bound::Unbounded, Bound::Unbounded);
        let mut old = self
            .old
            .into_iter()
            .flat_map(|old| old.range(tree, everything.clone()))
            .peekable();
        let mut new = new.peekable();

        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(Ok((old, _))), Some(Ok((new, _)))) => old.cmp(new),
                // Take an error first; it ends the merge.
                (Some(_), None) | (Some(Err(_)), _) => Ordering::Less,
                (None, Some(_)) | (_, Some(Err(_))) => Ordering::Greater,
            };

            let old = if order.is_le() {
                old.next().transpose()?
            } else {
                None
            };

            let new = if order.is_ge() {
                new.next().transpose()?
            } else {
                None
            };

            if let Some((key, value)) = new.or(old) {
                loader.put(tree, &key, value.as_ref())?;
            }
        }
    }
}

/// Reads a key of the old store, if there is one.
fn read_old(old: Option<&Engine>, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError> {
    old.map_or(Ok(None), |old| old.get(tree, key))
}
