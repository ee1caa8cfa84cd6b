//! Announcing alert events: enqueues them in the commit in which they happen.

use super::{
    fan_out,
    outbox::{enqueue, message_id},
};
use crate::{
    domain::{
        alert::Alert,
        ids::IntegrationId,
        webhook::{AlertEvent, OutboxMessage},
    },
    service::objects,
    store::{StoreError, Transaction},
};
use serde_json::value::to_raw_value;

/// Enqueues an alert event for each integration that wants to hear of it. Where that would be too
/// much for this commit, enqueues it once in the account's fan-out queue.
pub(in crate::service) fn announce(
    transaction: &mut Transaction<'_>,
    alert: &Alert,
    event: AlertEvent,
) -> Result<(), StoreError> {
    let senders = transaction.senders(&alert.sid)?;
    if senders.is_empty() {
        return Ok(());
    }

    let announcement = announcement(alert, event)?;
    let Some(records) = fan_out::records_if_few(transaction, &announcement, &senders)? else {
        return enqueue(transaction, &announcement);
    };

    for record in records {
        if let Some(integration) = fan_out::listener(&record, event) {
            enqueue(transaction, &fan_out::address(&announcement, integration))?;
        }
    }

    Ok(())
}

/// The message for an event, addressed to the fan-out queue.
fn announcement(alert: &Alert, event: AlertEvent) -> Result<OutboxMessage, StoreError> {
    #[derive(serde::Serialize)]
    struct Announcement<'a> {
        r#type: &'a str,
        data: &'a Alert,
    }

    let body = to_raw_value(&Announcement {
        r#type: event.name(),
        data: alert,
    })
    .map_err(objects::unreadable)?;
    let (since, integration_id) = (alert.updated_at, IntegrationId::fan_out());

    Ok(OutboxMessage {
        sid: alert.sid.clone(),
        alert_id: Some(alert.id.clone()),
        thirdparty_id: alert.thirdparty_id.clone(),
        log_id: alert.s_log_id.clone(),
        event: event.name().to_owned(),
        // Each change of an alert has a time of its own, so these three identify one event.
        message_id: message_id(alert.id.as_str(), since, &integration_id),
        integration_id,
        failed: 0,
        since,
        confirm: None,
        body,
    })
}
