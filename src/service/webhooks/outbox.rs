//! The outbox: messages that are enqueued in the commit that they report.

use crate::{
    domain::{
        ids::{IntegrationId, LogId},
        integration::Integration,
        timestamp::Timestamp,
        webhook::{self, OutboxMessage},
    },
    service::objects::{self, encode},
    store::{StoreError, Transaction},
};
use serde_json::{Value, value::to_raw_value};

pub(super) fn enqueue(
    transaction: &mut Transaction<'_>,
    message: &OutboxMessage,
) -> Result<(), StoreError> {
    transaction.enqueue(
        &message.sid,
        &message.integration_id,
        message.since,
        encode(message)?,
    )
}

pub(super) fn message_id(subject: &str, since: Timestamp, integration: &IntegrationId) -> String {
    let without_prefix = |id: &str| {
        id.split_once('_')
            .map(|(_, rest)| rest.to_owned())
            .unwrap_or_default()
    };

    format!(
        "msg_{}_{}_{}",
        without_prefix(subject),
        since.millis(),
        without_prefix(integration.as_str())
    )
}

/// Enqueues the confirmation of a subscription: a GET of `url`. `log` is the log of the request
/// that asked for it.
pub(in crate::service) fn enqueue_confirmation(
    transaction: &mut Transaction<'_>,
    integration: &Integration,
    url: &str,
    log: &LogId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let message = OutboxMessage {
        sid: integration.sid.clone(),
        integration_id: integration.id.clone(),
        alert_id: None,
        thirdparty_id: None,
        log_id: None,
        event: webhook::CONFIRM.to_owned(),
        message_id: message_id(log.as_str(), now, &integration.id),
        failed: 0,
        since: now,
        confirm: Some(url.to_owned()),
        body: to_raw_value(&Value::Null).map_err(objects::unreadable)?,
    };

    enqueue(transaction, &message)
}
