//! Applies changes of objects to the view of an account.

use super::IndexView;
use crate::{
    domain::list::RawObject,
    store::{
        StoreError,
        change::{Change, ChangeKind},
        entries::Stored,
    },
};

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
            let object = parse_record(record).map_err(|_| ApplyError::Damaged)?;
            view.set(tiny_id, &object)
                .map_err(|_| ApplyError::TooLarge)?;
        }
    }
    Ok(())
}

/// A record as lists read it.
pub(in crate::store) fn parse_record(stored: &Stored) -> Result<RawObject<'_>, StoreError> {
    RawObject::parse(stored.as_ref())
        .map_err(|error| StoreError::damaged(format!("a record cannot be read: {error}")))
}
