//! Building what is known of an account, while the writer goes on and notes what it changes meanwhile.

use super::{Change, Entry, Indexed, View};
use crate::{
    domain::list::{Object, Place},
    store::{Snapshot, StoreError, engine::Stored},
};

/// Whoever builds. Nobody waits for it any longer when it is dropped.
pub(super) struct Building<'a>(pub(super) &'a Entry);

impl Building<'_> {
    /// Takes in what was built, and answers with it. `None` when it does not fit.
    pub(super) fn finish(
        &self,
        budget: usize,
        places: &[&Place],
        built: Option<View>,
        snapshot: impl Fn() -> Result<Snapshot, StoreError>,
    ) -> Result<Option<Indexed>, StoreError> {
        let mut state = self.0.lock();
        let changes = state.building.take().unwrap_or_default();
        let Some(mut built) = built else { return Ok(None) };
        if !changes.iter().all(|change| follow(&mut built, change)) {
            return Ok(None);
        }
        let view = match state.view.take() {
            None => built,
            Some(mut view) => {
                view.extend(built);
                view.forget_longest_unused(places);
                if view.bytes() > budget {
                    view.keep(places);
                }
                view
            }
        };
        let fits = view.bytes() <= budget;
        state.view = fits.then_some(view);
        self.0.count(&mut state);
        state.indexed(places, snapshot)
    }
}

impl Drop for Building<'_> {
    fn drop(&mut self) {
        self.0.lock().building = None;
        self.0.built.notify_all();
    }
}

/// Whether the view could follow.
pub(super) fn follow(view: &mut View, change: &Change) -> bool {
    match &change.record {
        None => {
            view.remove(change.tiny_id);
            true
        }
        Some(_) if !view.needs_attributes() => {
            view.insert_number(change.tiny_id);
            true
        }
        Some(record) => match parse(record) {
            Ok(object) => view.set(change.tiny_id, &object).is_ok(),
            Err(_) => false,
        },
    }
}

pub(super) fn parse(stored: &Stored) -> Result<Object<'_>, StoreError> {
    Object::parse(stored.as_ref()).map_err(|error| StoreError::damaged(format!("a record cannot be read: {error}")))
}
