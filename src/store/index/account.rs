//! The index of one account: its view, and what builders and the writer share.

use super::{
    IndexView,
    apply::{ApplyError, apply_change},
};
use crate::{domain::list::FieldPath, store::change::Change};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// The index of one account's collection.
#[derive(Debug, Default)]
pub(in crate::store) struct AccountIndex {
    pub(super) state: Mutex<AccountState>,
    pub(super) built: Condvar,
    pub(super) last_use: AtomicU64,
    pub(super) bytes: AtomicUsize,
    /// Shared by all accounts: see `Indexes::total`.
    pub(super) total: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
pub(in crate::store) struct AccountState {
    pub(super) view: Option<IndexView>,
    /// While the index is being built: the changes published since it began.
    pub(super) building: Option<Vec<Change>>,
    /// Fields that do not fit into the budget.
    pub(super) oversized: Vec<FieldPath>,
    /// Whether this entry was removed from `Indexes::accounts`.
    pub(in crate::store) evicted: bool,
    pub(super) changes_since_recount: usize,
}

/// Beyond this many, the list of oversized fields is cleared.
const MAX_OVERSIZED_FIELDS: usize = 64;

impl AccountIndex {
    pub(in crate::store) fn lock(&self) -> MutexGuard<'_, AccountState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the state once nothing is being built.
    pub(in crate::store) fn lock_idle(&self) -> MutexGuard<'_, AccountState> {
        self.built
            .wait_while(self.lock(), |state| state.building.is_some())
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn recount(&self, state: &mut AccountState) {
        state.changes_since_recount = 0;
        self.set_bytes(state.bytes());
    }

    /// Sets the size and returns the previous one.
    pub(super) fn set_bytes(&self, bytes: usize) -> usize {
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        // The sum wraps around and back.
        self.total
            .fetch_add(bytes.wrapping_sub(before), Ordering::Relaxed);
        before
    }
}

impl AccountState {
    /// Approximate memory use.
    pub(super) fn bytes(&self) -> usize {
        const ACCOUNT_OVERHEAD: usize = 512;
        let refused = self.oversized.iter().map(|field| field.name().len());
        self.view
            .as_ref()
            .map_or(0, IndexView::bytes)
            .saturating_add(ACCOUNT_OVERHEAD)
            .saturating_add(refused.sum())
    }

    /// The view, if it has these fields. While the caller holds the lock, the writer cannot publish:
    /// a snapshot taken meanwhile shows the same commit.
    pub(in crate::store) fn view_with(&mut self, fields: &[&FieldPath]) -> Option<IndexView> {
        let view = self.view.as_mut()?;
        if !fields.iter().all(|field| view.has(field)) {
            return None;
        }
        view.mark_used(fields);
        Some(view.clone())
    }

    /// Whether one of the fields is known not to fit into the budget.
    pub(in crate::store) fn is_oversized(&self, fields: &[&FieldPath]) -> bool {
        fields.iter().any(|field| self.oversized.contains(field))
    }

    pub(in crate::store) fn missing(&self, fields: &[&FieldPath]) -> Vec<FieldPath> {
        let mut missing = Vec::new();
        for field in fields {
            let known = self.view.as_ref().is_some_and(|view| view.has(field));
            if !known && !missing.contains(*field) {
                missing.push((*field).clone());
            }
        }
        missing
    }

    pub(super) fn apply_change(&mut self, change: &Change) {
        self.changes_since_recount = self.changes_since_recount.saturating_add(1);
        if let Some(changes) = &mut self.building {
            changes.push(change.clone());
        }

        let Some(view) = &mut self.view else { return };
        let outcome = match apply_change(view, change) {
            Err(ApplyError::TooLarge) => {
                let removed = view.remove_open_ended();
                let outcome = apply_change(view, change);
                self.mark_oversized(removed);
                outcome
            }
            outcome => outcome,
        };

        // Drop an index that cannot follow. The next list rebuilds it and reports the error.
        if outcome.is_err() {
            self.view = None;
        }
    }

    pub(in crate::store) fn mark_oversized(&mut self, fields: Vec<FieldPath>) {
        if self.oversized.len() >= MAX_OVERSIZED_FIELDS {
            self.oversized.clear();
        }
        self.oversized.extend(fields);
    }

    /// Evicts the index; `false` while it is being built.
    pub(super) fn evict(&mut self) -> bool {
        if self.building.is_some() {
            return false;
        }
        self.evicted = true;
        self.view = None;
        true
    }
}
