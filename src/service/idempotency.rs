//! Idempotent creates: a repeated request under the same key gets the first response again.

use super::{error::ServiceError, objects::unreadable};
use crate::{
    domain::{
        idempotency::{IdempotencyKey, IdempotentRequest},
        ids::AccountId,
        passwords,
        rejection::Rejection,
        timestamp::Timestamp,
    },
    store::{StoreError, Stored, Transaction},
};
use serde::Serialize;
use std::collections::HashMap;

/// The key together with a fingerprint of the draft, which tells requests under one key apart.
pub(super) fn fingerprint(
    key: IdempotencyKey,
    draft: &impl Serialize,
) -> Result<IdempotentRequest, StoreError> {
    let canonical = serde_json::to_vec(draft).map_err(unreadable)?;
    Ok(IdempotentRequest {
        key,
        fingerprint: passwords::digest(&canonical),
    })
}

/// As [`fingerprint`], for a draft of this kind. Drafts of other kinds have other fingerprints, even
/// with the same attributes.
pub(super) fn tagged_fingerprint(
    key: IdempotencyKey,
    kind: &'static str,
    draft: &impl Serialize,
) -> Result<IdempotentRequest, StoreError> {
    fingerprint(key, &HashMap::from([(kind, draft)]))
}

/// The record that the first request under this key created, if there was one.
///
/// # Errors
/// The key was used for another request; the store cannot be read.
pub(super) fn find_first(
    transaction: &Transaction<'_>,
    account: &AccountId,
    request: &IdempotentRequest,
    now: Timestamp,
) -> Result<Option<Stored>, ServiceError> {
    let Some(first) = transaction.idempotency_record(account, &request.key, now)? else {
        return Ok(None);
    };

    if request.fingerprint != first.fingerprint {
        let key = request.key.as_str();
        let message = format!(
            "The Idempotency-Key '{key}' was already used for a different request; use a new key"
        );
        return Err(Rejection::Conflict(message).into());
    }

    Ok(Some(first.record))
}
