//! Reading and writing objects, for all services.

use super::error::ServiceError;
use crate::{
    domain::{ids::AccountId, list::Select, rejection::Rejection},
    ids::IdBasis,
    store::{Collection, StoreError, Stored, Transaction},
};
use serde::{Serialize, de::DeserializeOwned};

/// An object of the account and its stored bytes. An object of another account is treated as
/// missing.
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

/// Generates an id that is not in use. A random id with 84 bits practically never is; one from a
/// seed is where an object was imported that has it.
pub(super) fn unused<T>(
    transaction: &Transaction<'_>,
    collection: Collection,
    mut basis: IdBasis<'_>,
    generate: impl Fn(IdBasis<'_>) -> T,
    text: impl Fn(&T) -> &str,
) -> Result<T, StoreError> {
    loop {
        let id = generate(basis);
        basis.attempt = basis.attempt.saturating_add(1);
        if transaction.record(collection, text(&id))?.is_none() {
            return Ok(id);
        }
    }
}

/// Encodes an object. The stored bytes are also the bytes of responses.
pub(super) fn encode(object: &impl Serialize) -> Result<Stored, StoreError> {
    serde_json::to_vec(object)
        .map(Stored::from)
        .map_err(unreadable)
}

/// The selected attributes of a stored record.
///
/// # Errors
/// The record is damaged.
pub fn select(record: &Stored, select: &Select) -> Result<Vec<u8>, ServiceError> {
    Ok(select.apply(record.as_ref()).map_err(unreadable)?)
}

/// The object of a stored record.
///
/// # Errors
/// The record is damaged.
pub fn decode<T: DeserializeOwned>(record: &Stored) -> Result<T, StoreError> {
    serde_json::from_slice(record.as_ref()).map_err(unreadable)
}

pub(super) fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("a record cannot be read or written: {error}"))
}
