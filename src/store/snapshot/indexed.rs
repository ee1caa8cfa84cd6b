//! Snapshots with an index view of the same commit, and the building of indexes that are missing.

use super::Snapshot;
use crate::{
    domain::{ids::AccountId, list::FieldPath},
    store::{
        Collection, IndexView, StoreError,
        index::{BuildGuard, IndexKey, RECOUNT_INTERVAL, parse_record},
        replica::Replica,
    },
};
use std::sync::Arc;

/// An index view and the snapshot of the same commit.
#[derive(Debug)]
pub struct IndexedSnapshot {
    /// The tinyIds of all objects, and the values of some fields.
    pub view: IndexView,
    /// The records, as of the same commit.
    pub snapshot: Snapshot,
}

impl IndexedSnapshot {
    /// The account's index with these fields, if it exists already.
    pub(in crate::store) fn get(
        replica: &Arc<Replica>,
        collection: Collection,
        account: &AccountId,
        fields: &[&FieldPath],
    ) -> Option<Self> {
        let index = replica.indexes.get(collection, account)?;
        let mut state = index.lock();
        state
            .view_with(fields)
            .map(|view| Self::pair(view, replica))
    }

    /// The account's index with these fields, built if necessary, which reads all of the account's
    /// objects. `None` if it does not fit into the budget.
    pub(in crate::store) fn get_or_build(
        replica: &Arc<Replica>,
        collection: Collection,
        account: &AccountId,
        fields: &[&FieldPath],
    ) -> Result<Option<Self>, StoreError> {
        let indexes = &replica.indexes;
        if indexes.budget() == 0 {
            return Ok(None);
        }

        let key = (collection.records, account.clone());
        loop {
            let index = indexes.get_or_create(&key);
            let mut state = index.lock_idle();

            if state.evicted {
                // Another index has replaced this one.
                continue;
            }

            if state.is_oversized(fields) {
                return Ok(None);
            }

            if let Some(view) = state.view_with(fields) {
                return Ok(Some(Self::pair(view, replica)));
            }

            let missing = state.missing(fields);
            let building = BuildGuard::begin(&index, state);
            // After the guard, and only for as long as the reading takes.
            let built =
                Snapshot::new(Arc::clone(replica)).build_view(collection, &key, missing.clone())?;
            let indexed = building.finish(indexes.budget(), fields, built, |view| {
                Self::pair(view, replica)
            });

            drop(building);
            if indexed.is_none() {
                index.lock().mark_oversized(missing);
            }

            indexes.make_room(Some(&key), 0);
            return Ok(indexed);
        }
    }

    /// Takes the snapshot of a view. The caller holds the lock of the view's account.
    fn pair(view: IndexView, replica: &Arc<Replica>) -> Self {
        Self {
            view,
            snapshot: Snapshot::new(Arc::clone(replica)),
        }
    }
}

impl Snapshot {
    /// Reads all objects of an account. `None` if the index does not fit.
    fn build_view(
        &self,
        collection: Collection,
        key: &IndexKey,
        fields: Vec<FieldPath>,
    ) -> Result<Option<IndexView>, StoreError> {
        let (_, account) = key;
        let indexes = &self.replica.indexes;
        let mut view = IndexView::with_fields(fields);
        if !view.has_fields() {
            self.for_each_tiny_id(collection, account, |tiny_id| view.insert_tiny_id(tiny_id))?;
            return Ok(Some(view));
        }

        let (mut seen, mut fits) = (0_usize, true);
        self.for_each_unordered(collection, account, |tiny_id, stored| {
            if !fits {
                return Ok(());
            }
            seen = seen.wrapping_add(1);
            fits = view.set(tiny_id, &parse_record(&stored)?).is_ok();
            if seen.is_multiple_of(RECOUNT_INTERVAL) {
                let bytes = view.bytes();
                fits = fits && bytes <= indexes.budget();
                indexes.make_room(Some(key), bytes);
            }
            Ok(())
        })?;

        Ok(fits.then_some(view))
    }
}
