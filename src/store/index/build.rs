//! BuildGuard what is known of an account, while the writer goes on and notes what it changes
//! meanwhile.

use super::{AccountIndex, Change, IndexView, IndexedSnapshot};
use crate::{
    domain::list::{FieldPath, RawObject},
    store::{Snapshot, StoreError, engine::Stored},
};

/// Whoever builds. Nobody waits for it any longer when it is dropped.
pub(super) struct BuildGuard<'a>(pub(super) &'a AccountIndex);

impl BuildGuard<'_> {
    /// Takes in what was built, and answers with it.
    pub(super) fn finish(
        &self,
        budget: usize,
        places: &[&FieldPath],
        built: Option<IndexView>,
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<BuildOutcome, StoreError> {
        let mut state = self.0.lock();
        let changes = state.building.take().unwrap_or_default();
        if state.evicted {
            // What was built is of a store that is gone.
            return Ok(BuildOutcome::Evicted);
        }

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
                view.evict_least_recently_used(places);
                if view.bytes() > budget {
                    view.retain_fields(places);
                }
                view
            }
        };

        let fits = view.bytes() <= budget;
        state.view = fits.then_some(view);
        self.0.recount(&mut state);

        Ok(state
            .indexed(places, snapshot)?
            .map_or(BuildOutcome::TooLarge, |indexed| {
                BuildOutcome::Ready(Box::new(indexed))
            }))
    }
}

/// What came of building.
pub(super) enum BuildOutcome {
    /// This.
    Ready(Box<IndexedSnapshot>),
    /// It does not fit into the memory.
    TooLarge,
    /// Everything was forgotten meanwhile.
    Evicted,
}

impl Drop for BuildGuard<'_> {
    fn drop(&mut self) {
        self.0.lock().building = None;
        self.0.built.notify_all();
    }
}

/// Why a view cannot follow a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApplyError {
    /// The object cannot be read.
    Damaged,
    /// What stands at its places is too much.
    TooLarge,
}

/// Notes a change in the view.
pub(super) fn apply_change(view: &mut IndexView, change: &Change) -> Result<(), ApplyError> {
    match &change.record {
        None => view.remove(change.tiny_id),
        Some(_) if !view.has_fields() => view.insert_tiny_id(change.tiny_id),
        Some(record) => {
            let object = parse(record).map_err(|_| ApplyError::Damaged)?;
            view.set(change.tiny_id, &object)
                .map_err(|_| ApplyError::TooLarge)?;
        }
    }
    Ok(())
}

pub(super) fn parse(stored: &Stored) -> Result<RawObject<'_>, StoreError> {
    RawObject::parse(stored.as_ref())
        .map_err(|error| StoreError::damaged(format!("a record cannot be read: {error}")))
}
