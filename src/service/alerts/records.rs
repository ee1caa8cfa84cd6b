//! What commands do with alerts inside a transaction, for requests and events alike: record,
//! deduplication key and webhooks change together.

use crate::{
    domain::{
        alert::{Alert, AlertAction, AlertOrigin},
        event::Content,
        ids::{AccountId, AlertId},
        timestamp::Timestamp,
        webhook::AlertEvent,
    },
    ids::{IdBasis, Ids},
    service::{
        objects::{self, encode},
        webhooks,
    },
    store::{ALERTS, DedupKey, StoreError, Stored, Transaction},
};

/// The active alert with this source and third-party id.
pub(super) fn find_active(
    transaction: &Transaction<'_>,
    account: &AccountId,
    origin: &AlertOrigin,
) -> Result<Option<Alert>, StoreError> {
    let Some(key) = dedup_key(
        account,
        origin.source_id.as_deref(),
        origin.thirdparty_id.as_deref(),
    ) else {
        return Ok(None);
    };
    Ok(latest(transaction, &key)?.filter(|alert| alert.status.is_active()))
}

/// The latest alert with this key.
pub(in crate::service) fn latest(
    transaction: &Transaction<'_>,
    key: &DedupKey,
) -> Result<Option<Alert>, StoreError> {
    let Some(id) = transaction.latest_alert(key)? else {
        return Ok(None);
    };
    transaction
        .record(ALERTS, &id)?
        .map(|record| objects::decode(&record))
        .transpose()
}

/// The key that identifies repeated events of one incident, if a third party has given an id.
pub(in crate::service) fn dedup_key(
    account: &AccountId,
    source_id: Option<&str>,
    thirdparty_id: Option<&str>,
) -> Option<DedupKey> {
    source_id
        .zip(thirdparty_id)
        .map(|(source_id, thirdparty_id)| DedupKey::new(account, source_id, thirdparty_id))
}

/// Inserts an alert under the account's next tinyId, as the latest with its key.
pub(in crate::service) fn insert(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    account: &AccountId,
    content: Content,
    origin: AlertOrigin,
    now: Timestamp,
) -> Result<(Alert, Stored), StoreError> {
    let tiny_id = transaction.next_tiny_id(ALERTS, account)?;
    let id = objects::unused(
        transaction,
        ALERTS,
        IdBasis::new(account, tiny_id),
        |basis| ids.alert(basis),
        AlertId::as_str,
    )?;
    let alert = Alert::create(content, origin, account.clone(), id, tiny_id, now);
    let record = encode(&alert)?;

    transaction.insert(ALERTS, account, tiny_id, alert.id.as_str(), record.clone())?;
    if let Some(key) = dedup_key(
        account,
        alert.source_id.as_deref(),
        alert.thirdparty_id.as_deref(),
    ) {
        transaction.set_latest_alert(&key, alert.id.as_str());
    }

    webhooks::announce(transaction, &alert, AlertEvent::Created)?;
    Ok((alert, record))
}

/// Replaces the record of an alert.
pub(super) fn replace(
    transaction: &mut Transaction<'_>,
    alert: &Alert,
) -> Result<Stored, StoreError> {
    let record = encode(alert)?;
    transaction.replace(ALERTS, alert.id.as_str(), record.clone());
    Ok(record)
}

/// Saves an alert after an action, and announces the action to webhooks.
pub(in crate::service) fn save_action(
    transaction: &mut Transaction<'_>,
    alert: &Alert,
    action: AlertAction,
) -> Result<Stored, StoreError> {
    let event = match action {
        AlertAction::Acknowledge => Some(AlertEvent::Acknowledged),
        AlertAction::Resolve => Some(AlertEvent::Resolved),
        AlertAction::Drop => Some(AlertEvent::Dropped),
        AlertAction::Reject => Some(AlertEvent::Rejected),
        AlertAction::Archive => None,
    };
    if let Some(event) = event {
        webhooks::announce(transaction, alert, event)?;
    }
    replace(transaction, alert)
}

/// Deletes an alert and its index entries.
pub(in crate::service) fn delete(
    transaction: &mut Transaction<'_>,
    alert: &Alert,
) -> Result<(), StoreError> {
    if let Some(key) = dedup_key(
        &alert.sid,
        alert.source_id.as_deref(),
        alert.thirdparty_id.as_deref(),
    ) {
        transaction.clear_latest_alert(&key, alert.id.as_str())?;
    }
    transaction.leave_threads(&alert.sid, alert.id.as_str())?;
    transaction.delete(ALERTS, &alert.sid, alert.tiny_id, alert.id.as_str())
}
