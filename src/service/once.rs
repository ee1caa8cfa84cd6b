//! Creates that happen once, however often they are sent: under the same key the first answer is
//! answered again.

use super::{fault::Fault, objects::unreadable, passwords};
use crate::{
    domain::{
        idempotency::{IdempotencyKey, IdempotentRequest},
        ids::AccountId,
        rejection::Rejection,
        timestamp::Timestamp,
    },
    store::{StoreError, Stored, Transaction},
};
use serde::Serialize;

/// What tells one request from another under the same key.
pub(super) fn attempt(
    key: IdempotencyKey,
    draft: &impl Serialize,
) -> Result<IdempotentRequest, StoreError> {
    let canonical = serde_json::to_vec(draft).map_err(unreadable)?;
    Ok(IdempotentRequest {
        key,
        fingerprint: passwords::digest(&canonical),
    })
}

/// The first answer to this request, if it has been answered before.
///
/// # Errors
/// The key was used for another request; the store cannot be read.
pub(super) fn answered(
    transaction: &Transaction<'_>,
    account: &AccountId,
    attempt: &IdempotentRequest,
    now: Timestamp,
) -> Result<Option<Stored>, Fault> {
    let Some(answered) = transaction.idempotency_record(account, &attempt.key, now)? else {
        return Ok(None);
    };
    if attempt.fingerprint != answered.fingerprint {
        let key = attempt.key.as_str();
        let message = format!(
            "The Idempotency-Key '{key}' was used for another request; use a new key for each"
        );
        return Err(Rejection::Conflict(message).into());
    }
    Ok(Some(answered.record))
}
