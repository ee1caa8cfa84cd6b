//! The hand-over between a builder, which reads all objects of an account, and the writer, which
//! keeps committing meanwhile.

use super::{
    IndexView,
    account::{AccountIndex, AccountState},
    apply::apply_change,
};
use crate::domain::list::FieldPath;
use std::sync::MutexGuard;

/// Held while an index is being built. Dropping it wakes those who wait for the index.
pub(in crate::store) struct BuildGuard<'a>(&'a AccountIndex);

impl<'a> BuildGuard<'a> {
    /// From here on the writer queues its changes: a snapshot taken afterwards and they are the
    /// whole truth.
    pub(in crate::store) fn begin(
        index: &'a AccountIndex,
        mut state: MutexGuard<'_, AccountState>,
    ) -> Self {
        state.building = Some(Vec::new());
        Self(index)
    }

    /// Applies the changes published meanwhile, and stores the index. Calls `pair` with its view
    /// while the writer cannot publish. `None` if the index does not fit into the budget.
    pub(in crate::store) fn finish<T>(
        &self,
        budget: usize,
        fields: &[&FieldPath],
        built: Option<IndexView>,
        pair: impl FnOnce(IndexView) -> T,
    ) -> Option<T> {
        let mut state = self.0.lock();
        let changes = state.building.take().unwrap_or_default();
        let mut built = built?;

        if !changes
            .iter()
            .all(|change| apply_change(&mut built, change).is_ok())
        {
            return None;
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

        state.view_with(fields).map(pair)
    }
}

impl Drop for BuildGuard<'_> {
    fn drop(&mut self) {
        // Before waking the others, so that they find no build under way.
        self.0.lock().building = None;
        self.0.built.notify_all();
    }
}
