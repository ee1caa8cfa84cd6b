//! Telling third parties what happens to alerts: put into the queue of each integration that wants to hear of it, in the commit in
//! which it happens, and sent afterwards (`sending`), one after the other, each again and again until somebody takes it or it has
//! been tried often enough. Whose turn it is `turns` decides. Each attempt leaves a log (`logged`). What a third party wants
//! confirmed goes the same way.

mod logged;
mod parcels;
mod sending;
mod trail;
mod turns;

pub use sending::{Done, Outgoing, Persistence, Plan};
pub use turns::Turns;

use super::{objects, objects::encode};
use crate::{
    courier,
    domain::{
        alert::Alert,
        ids::{AccountId, IntegrationId, LogId},
        integration::Integration,
        rejection::Rejection,
        timestamp::Timestamp,
        webhook::{self, AlertEvent, Delivery},
        webhook_options,
    },
    store::{INTEGRATIONS, StoreError, Transaction},
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

/// Puts what happened to an alert into the queue of each integration that wants to hear of it.
pub(super) fn announce(transaction: &mut Transaction<'_>, alert: &Alert, event: AlertEvent) -> Result<(), StoreError> {
    for id in transaction.senders(&alert.sid)? {
        let Some(record) = transaction.record(INTEGRATIONS, id.as_str())? else { continue };
        let integration: Integration = objects::decode(&record)?;
        if integration.enabled && webhook::is_wanted(&integration, event) && webhook::url(&integration).is_some() {
            enqueue(transaction, &announcement(&integration, alert, event)?)?;
        }
    }
    Ok(())
}

fn announcement(integration: &Integration, alert: &Alert, event: AlertEvent) -> Result<Delivery, StoreError> {
    #[derive(serde::Serialize)]
    struct Announcement<'a> {
        r#type: &'a str,
        data: &'a Alert,
    }
    let body = to_raw_value(&Announcement { r#type: event.name(), data: alert }).map_err(objects::unreadable)?;
    let since = alert.updated_at;
    Ok(Delivery {
        sid: integration.sid.clone(),
        integration_id: integration.id.clone(),
        alert_id: Some(alert.id.clone()),
        thirdparty_id: alert.thirdparty_id.clone(),
        log_id: alert.s_log_id.clone(),
        event: event.name().to_owned(),
        // Each change of an alert has a time of its own, so these three name one event.
        message_id: message_id(alert.id.as_str(), since, &integration.id),
        failed: 0,
        since,
        confirm: None,
        body,
    })
}

fn enqueue(transaction: &mut Transaction<'_>, delivery: &Delivery) -> Result<(), StoreError> {
    transaction.enqueue(&delivery.sid, &delivery.integration_id, delivery.since, encode(delivery)?)
}

fn message_id(subject: &str, since: Timestamp, integration: &IntegrationId) -> String {
    let tail = |id: &str| id.split_once('_').map(|(_, tail)| tail.to_owned()).unwrap_or_default();
    format!("msg_{}_{}_{}", tail(subject), since.millis(), tail(integration.as_str()))
}

/// Puts a subscription that a third party wants confirmed into the queue. `log` is that of the request.
pub(super) fn confirm(
    transaction: &mut Transaction<'_>,
    integration: &Integration,
    url: &str,
    log: &LogId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let delivery = Delivery {
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

/// Notes whether an integration sends, whenever it is written.
pub(super) fn register(transaction: &mut Transaction<'_>, integration: &Integration) -> Result<(), StoreError> {
    let sends = integration.integration_type.as_str() == webhook::TYPE;
    transaction.set_sender(&integration.sid, &integration.id, sends)
}

/// Forgets an integration that is about to be deleted.
pub(super) fn unregister(
    transaction: &mut Transaction<'_>,
    account: &AccountId,
    id: &IntegrationId,
) -> Result<(), StoreError> {
    transaction.set_sender(account, id, false)
}
