//! What the desks of all kinds of objects have in common.

use super::error::ServiceError;
use crate::{
    domain::{ids::AccountId, rejection::Rejection},
    store::{Collection, StoreError, Stored, Transaction},
};
use serde::{Serialize, de::DeserializeOwned};

/// An object and its bytes, if it is the account's; one of another account is as if it were not
/// there.
pub(super) fn owned<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    collection: Collection,
    account: &AccountId,
    id: &str,
    name: &'static str,
) -> Result<(T, Stored), ServiceError> {
    let found = transaction.record(collection, id)?;
    let record = found
        .filter(|record| collection.owns(account, record))
        .ok_or(Rejection::NotFound(name))?;
    Ok((decode(&record)?, record))
}

/// An id that nothing of this collection has. With 84 random bits the first is practically always
/// free; a seeded source may repeat itself.
pub(super) fn unused<T>(
    transaction: &Transaction<'_>,
    collection: Collection,
    fresh: impl Fn() -> T,
    text: impl Fn(&T) -> &str,
) -> Result<T, StoreError> {
    loop {
        let id = fresh();
        if transaction.record(collection, text(&id))?.is_none() {
            return Ok(id);
        }
    }
}

/// The bytes that are stored and answered.
pub(super) fn encode(object: &impl Serialize) -> Result<Stored, StoreError> {
    serde_json::to_vec(object)
        .map(Stored::from)
        .map_err(unreadable)
}

/// The object that was stored.
pub(super) fn decode<T: DeserializeOwned>(record: &Stored) -> Result<T, StoreError> {
    serde_json::from_slice(record.as_ref()).map_err(unreadable)
}

pub(super) fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("a record cannot be read or written: {error}"))
}
