//! Telling third parties what happens to alerts: put into the queue of each integration that wants
//! to hear of it, in the commit in which it happens, and sent afterwards (`sending`), one after the
//! other, each again and again until somebody takes it or it has been tried often enough. What
//! would be much for one commit goes through `fan_out`. Whose turn it is `turns` decides. Each
//! attempt leaves a log (`logged`). What a third party wants confirmed goes the same way.

mod fan_out;
mod logged;
mod parcels;
mod sending;
mod trail;
mod turns;

pub use sending::{Done, Due, Outgoing, Persistence, Plan};
pub use turns::{MAX_CONCURRENT, Turns};

use super::{fault::Fault, objects, objects::encode};
use crate::{
    courier::{self, Reach},
    domain::{
        alert::Alert,
        caller::WriteAccess,
        ids::{AccountId, IntegrationId, LogId},
        integration::Integration,
        rejection::Rejection,
        timestamp::Timestamp,
        webhook::{self, AlertEvent, OutboxMessage},
        webhook_options,
    },
    store::{StoreError, Transaction},
};
use serde_json::{Value, value::to_raw_value};
use std::sync::Arc;
use tokio::sync::Notify;

/// Rings when there is something new to send. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Tells whoever listens.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until it rings, or has rung since the last time.
    pub async fn heard(&self) {
        self.0.notified().await;
    }
}

/// Puts what happened to an alert into the queue of each integration that wants to hear of it;
/// where that is much, into one queue of the account, from which `fan_out` brings it there.
pub(super) fn announce(
    transaction: &mut Transaction<'_>,
    alert: &Alert,
    event: AlertEvent,
) -> Result<(), StoreError> {
    let senders = transaction.senders(&alert.sid)?;
    if senders.is_empty() {
        return Ok(());
    }

    let announcement = announcement(alert, event)?;
    let Some(records) = fan_out::few(transaction, &announcement, &senders)? else {
        return enqueue(transaction, &announcement);
    };

    for record in records {
        if let Some(integration) = fan_out::listener(&record, event) {
            enqueue(transaction, &fan_out::addressed(&announcement, integration))?;
        }
    }

    Ok(())
}

/// What is told of an event, not addressed to anybody yet.
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
        // Each change of an alert has a time of its own, so these three name one event.
        message_id: message_id(alert.id.as_str(), since, &integration_id),
        integration_id,
        failed: 0,
        since,
        confirm: None,
        body,
    })
}

fn enqueue(transaction: &mut Transaction<'_>, delivery: &OutboxMessage) -> Result<(), StoreError> {
    transaction.enqueue(
        &delivery.sid,
        &delivery.integration_id,
        delivery.since,
        encode(delivery)?,
    )
}

fn message_id(subject: &str, since: Timestamp, integration: &IntegrationId) -> String {
    let tail = |id: &str| {
        id.split_once('_')
            .map(|(_, tail)| tail.to_owned())
            .unwrap_or_default()
    };
    format!(
        "msg_{}_{}_{}",
        tail(subject),
        since.millis(),
        tail(integration.as_str())
    )
}

/// Puts a subscription that a third party wants confirmed into the queue. `log` is that of the
/// request.
pub(super) fn confirm(
    transaction: &mut Transaction<'_>,
    integration: &Integration,
    url: &str,
    log: &LogId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let delivery = OutboxMessage {
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

    enqueue(transaction, &delivery)
}

/// Keeps a page of a stranger from making an integration send where only this machine or network
/// reaches, and from reading in logs what is answered there.
///
/// # Errors
/// [`Rejection::Forbidden`]
pub(super) fn check_page(
    integration: &Integration,
    writer: &WriteAccess,
    reach: Reach,
) -> Result<(), Rejection> {
    let sends = integration.integration_type.as_str() == webhook::TYPE;
    if !sends || !writer.is_from_foreign_page() || reach == Reach::Public {
        return Ok(());
    }
    Err(Rejection::Forbidden(
        "A web page of another site may not make an outgoing webhook while webhooks reach private addresses; add the page's origin to \
         the setting 'cors.origins', or set 'outgoing.reach' to \"public\""
            .into(),
    ))
}

/// Looks at the options of an integration that sends, when they are written.
pub(super) fn judge(integration: &Integration) -> Result<(), Rejection> {
    if integration.integration_type.as_str() != webhook::TYPE {
        return Ok(());
    }
    match webhook_options::faults(&integration.options, courier::refusal) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(Rejection::Invalid(faults)),
    }
}

/// Notes whether an integration sends, whenever it is written. An account may have `most` that do.
///
/// # Errors
/// It would be one too many; the store cannot be read.
pub(super) fn register(
    transaction: &mut Transaction<'_>,
    integration: &Integration,
    most: usize,
) -> Result<(), Fault> {
    let sends = integration.integration_type.as_str() == webhook::TYPE;
    if sends {
        let senders = transaction.senders(&integration.sid)?;
        // What there is already stays, also where the limit was lowered.
        if senders.len() >= most && !senders.contains(&integration.id) {
            let message = format!(
                "An account may have {most} integrations of type {} (outgoing.senders), and this one has as many",
                webhook::TYPE
            );
            return Err(Rejection::Conflict(message).into());
        }
    }

    Ok(transaction.set_sender(&integration.sid, &integration.id, sends)?)
}

/// Forgets an integration that is about to be deleted.
pub(super) fn unregister(
    transaction: &mut Transaction<'_>,
    account: &AccountId,
    id: &IntegrationId,
) -> Result<(), StoreError> {
    transaction.set_sender(account, id, false)
}
