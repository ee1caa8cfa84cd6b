//! Building the index of one account while the writer keeps committing.

use super::{IndexView, IndexedSnapshot, account::AccountIndex};
use crate::{
    domain::list::{FieldPath, RawObject},
    store::{
        Snapshot, StoreError,
        change::{Change, ChangeKind},
        entries::Stored,
    },
};

/// Held while an index is being built. Dropping it wakes those who wait for the index.
pub(super) struct BuildGuard<'a>(pub(super) &'a AccountIndex);

impl BuildGuard<'_> {
    /// Applies the changes published meanwhile, stores the index and returns it with a snapshot.
    pub(super) fn finish(
        &self,
        budget: usize,
        fields: &[&FieldPath],
        built: Option<IndexView>,
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<BuildOutcome, StoreError> {
        let mut state = self.0.lock();
        let changes = state.building.take().unwrap_or_default();
        let Some(mut built) = built else {
            return Ok(BuildOutcome::TooLarge);
        };

        if !changes
            .iter()
            .all(|change| apply_change(&mut built, change).is_ok())
        {
            return Ok(BuildOutcome::TooLarge);
        }

        let view = match state.view.take() {
            None => built,
            Some(mut view) => {
                view.extend(built);
                view.evict_least_recently_used(fields);
                if view.bytes() > budget {
                    view.retain_fields(fields);
                }
                view
            }
        };

        let fits = view.bytes() <= budget;
        state.view = fits.then_some(view);
        self.0.recount(&mut state);

        Ok(state
            .indexed(fields, snapshot)?
            .map_or(BuildOutcome::TooLarge, |indexed| {
                BuildOutcome::Ready(Box::new(indexed))
            }))
    }
}

pub(super) enum BuildOutcome {
    /// The index is ready.
    Ready(Box<IndexedSnapshot>),
    /// The index does not fit into the budget.
    TooLarge,
}

impl Drop for BuildGuard<'_> {
    fn drop(&mut self) {
        self.0.lock().building = None;
        self.0.built.notify_all();
    }
}

/// Why a change cannot be applied to a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApplyError {
    /// The record cannot be parsed.
    Damaged,
    /// The values of the indexed fields are too large.
    TooLarge,
}

/// Applies a change to a view.
pub(super) fn apply_change(view: &mut IndexView, change: &Change) -> Result<(), ApplyError> {
    let tiny_id = change.tiny_id().map_err(|_| ApplyError::Damaged)?;
    match &change.kind {
        ChangeKind::Delete(_) => view.remove(tiny_id),
        ChangeKind::Put(_) if !view.has_fields() => view.insert_tiny_id(tiny_id),
        ChangeKind::Put(record) => {
            let object = parse(record).map_err(|_| ApplyError::Damaged)?;
            view.set(tiny_id, &object)
                .map_err(|_| ApplyError::TooLarge)?;
        }
    }
    Ok(())
}

pub(super) fn parse(stored: &Stored) -> Result<RawObject<'_>, StoreError> {
    RawObject::parse(stored.as_ref())
        .map_err(|error| StoreError::damaged(format!("a record cannot be read: {error}")))
}
