//! Telling third parties what happens to alerts: put into the queue in the commit in which it happens, sent afterwards, again and
//! again until somebody takes it or it has been tried often enough. Each attempt leaves a log. What a third party wants confirmed goes
//! the same way.

use super::{objects, objects::encode, tally::Tally};
use crate::{
    clock::Clock,
    courier::{Answer, Courier, Method, Parcel},
    domain::{
        alert::Alert,
        ids::{AccountId, IntegrationId, LogId},
        integration::Integration,
        log::{Body, Direction, Log, Request, Response, masked},
        timestamp::Timestamp,
        webhook::{self, AlertEvent, Delivery},
    },
    ids::Ids,
    store::{INTEGRATIONS, LOGS, Queued, Store, StoreError, Transaction},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, value::to_raw_value};
use sha2::Sha256;
use std::sync::Arc;
use tokio::sync::Notify;

/// How often and when it is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Persistence {
    /// Attempts for each event.
    pub attempts: u32,
    /// Seconds after the first that failed; three times as long after each further one.
    pub first_pause: u64,
}

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
            transaction.enqueue(queued(&integration, alert, event)?);
        }
    }
    Ok(())
}

fn queued(integration: &Integration, alert: &Alert, event: AlertEvent) -> Result<Queued, StoreError> {
    #[derive(serde::Serialize)]
    struct Announcement<'a> {
        r#type: &'a str,
        data: &'a Alert,
    }
    let body = to_raw_value(&Announcement { r#type: event.name(), data: alert }).map_err(objects::unreadable)?;
    let due = alert.updated_at;
    // Each change of an alert has a time of its own, so these three name one event.
    let message_id = message_id(alert.id.as_str(), due, &integration.id);
    let delivery = Delivery {
        sid: integration.sid.clone(),
        integration_id: integration.id.clone(),
        alert_id: Some(alert.id.clone()),
        event: event.name().to_owned(),
        message_id: message_id.clone(),
        failed: 0,
        since: due,
        confirm: None,
        body,
    };
    Ok(Queued { due, name: message_id, content: encode(&delivery)? })
}

fn message_id(subject: &str, due: Timestamp, integration: &IntegrationId) -> String {
    let tail = |id: &str| id.split_once('_').map(|(_, tail)| tail.to_owned()).unwrap_or_default();
    format!("msg_{}_{}_{}", tail(subject), due.millis(), tail(integration.as_str()))
}

/// Puts a subscription that a third party wants confirmed into the queue. `log` is that of the request.
pub(super) fn confirm(
    transaction: &mut Transaction<'_>,
    integration: &Integration,
    url: &str,
    log: &LogId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let message_id = message_id(log.as_str(), now, &integration.id);
    let delivery = Delivery {
        sid: integration.sid.clone(),
        integration_id: integration.id.clone(),
        alert_id: None,
        event: webhook::CONFIRM.to_owned(),
        message_id: message_id.clone(),
        failed: 0,
        since: now,
        confirm: Some(url.to_owned()),
        body: to_raw_value(&Value::Null).map_err(objects::unreadable)?,
    };
    transaction.enqueue(Queued { due: now, name: message_id, content: encode(&delivery)? });
    Ok(())
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

/// Whoever sends what is in the queue. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Outgoing {
    store: Store,
    clock: Clock,
    ids: Ids,
    courier: Courier,
    persistence: Persistence,
    tally: Tally,
}

/// Something of the queue, understood.
#[derive(Clone, Debug)]
pub struct Task {
    due: Timestamp,
    delivery: Delivery,
}

impl Task {
    /// Who sends it. Of each, one is sent after the other.
    pub fn sender(&self) -> &IntegrationId {
        &self.delivery.integration_id
    }
}

impl Outgoing {
    /// Sends what is in the queue of `store`.
    pub fn new(store: Store, clock: Clock, ids: Ids, courier: Courier, persistence: Persistence) -> Self {
        Self { store, clock, ids, courier, persistence, tally: Tally::default() }
    }

    /// The same, with its attempts counted there.
    pub fn counted_by(self, tally: Tally) -> Self {
        Self { tally, ..self }
    }

    /// What is due, first what is due longest, and whether more waits.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn due(&self, most: usize) -> Result<(Vec<Task>, bool), StoreError> {
        let now = self.clock.now();
        let queued = self.store.queued(most)?;
        let waits = !queued.is_empty();
        let due = queued.into_iter().take_while(|queued| queued.due <= now);
        let tasks = due.map(|Queued { due, content, .. }| {
            let delivery = objects::decode(&content)?;
            Ok(Task { due, delivery })
        });
        Ok((tasks.collect::<Result<_, StoreError>>()?, waits))
    }

    /// Makes one attempt. Blocks while it waits for the answer.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn attempt(&self, task: &Task) -> Result<Attempt, StoreError> {
        let Some(record) = self.store.record(INTEGRATIONS, task.sender().as_str())? else {
            return Ok(Attempt::Abandoned("the integration was deleted"));
        };
        let integration: Integration = objects::decode(&record)?;
        let parcel = match &task.delivery.confirm {
            Some(_) if !integration.enabled => return Ok(Attempt::Abandoned("the integration is disabled")),
            Some(url) => Parcel { method: Method::Get, url: url.clone(), headers: Vec::new(), body: Vec::new() },
            None if !integration.enabled || integration.integration_type.as_str() != webhook::TYPE => {
                return Ok(Attempt::Abandoned("the integration no longer sends"));
            }
            None => match webhook::url(&integration) {
                Some(url) => parcel(&integration, url, &task.delivery, self.clock.now()),
                None => return Ok(Attempt::Abandoned("the integration has no option 'url' any more")),
            },
        };
        let outcome = self.courier.carry(&parcel);
        self.tally.webhook(&outcome);
        Ok(Attempt::Made(parcel, outcome))
    }

    /// Keeps what came of an attempt: a log, and either nothing more to do or a time for the next one.
    ///
    /// # Errors
    /// The store failed; then it is sent again.
    pub async fn conclude(&self, task: Task, attempt: Attempt) -> Result<(), StoreError> {
        let (now, ids, persistence) = (self.clock.now(), self.ids.clone(), self.persistence);
        self.store
            .write(move |transaction| {
                let Task { due, mut delivery, .. } = task;
                if !transaction.dequeue(due, &delivery.message_id)? {
                    return Ok(());
                }
                delivery.failed = delivery.failed.saturating_add(1);
                let again = attempt.failed() && delivery.failed < persistence.attempts;
                let outcome = attempt.sentence(&delivery, again);
                write_log(transaction, &ids, now, &delivery, &attempt, outcome)?;
                if again {
                    let pause = webhook::pause(delivery.failed, persistence.first_pause, ids.number());
                    let next = now.millis().saturating_add(pause.try_into().unwrap_or(i64::MAX));
                    let due = Timestamp::from_millis(next).unwrap_or(now);
                    let content = encode(&delivery)?;
                    transaction.enqueue(Queued { due, name: delivery.message_id, content });
                }
                Ok(())
            })
            .await
    }
}

/// What came of trying to send something.
#[derive(Debug)]
pub enum Attempt {
    /// It is not to be sent any more.
    Abandoned(&'static str),
    /// It was sent, or could not be.
    Made(Parcel, Result<Answer, String>),
}

impl Attempt {
    fn failed(&self) -> bool {
        match self {
            Self::Abandoned(_) => false,
            Self::Made(_, outcome) => !outcome.as_ref().is_ok_and(|answer| (200..300).contains(&answer.status)),
        }
    }

    fn sentence(&self, delivery: &Delivery, again: bool) -> String {
        let number = delivery.failed;
        let then = if again { "it will be sent again" } else { "it is given up" };
        match self {
            Self::Abandoned(why) => format!("not sent: {why}"),
            Self::Made(_, Ok(answer)) if !self.failed() => format!("taken with {} at attempt {number}", answer.status),
            Self::Made(_, Ok(answer)) => format!("refused with {} at attempt {number}; {then}", answer.status),
            Self::Made(_, Err(fault)) => format!("no answer at attempt {number}: {fault}; {then}"),
        }
    }
}

fn parcel(integration: &Integration, url: &str, delivery: &Delivery, now: Timestamp) -> Parcel {
    let body = delivery.body.get().as_bytes().to_vec();
    let (id, seconds) = (delivery.message_id.clone(), now.seconds().to_string());
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if let Some(username) = webhook::option(integration, "username") {
        let password = webhook::option(integration, "password").unwrap_or_default();
        let credentials = BASE64_STANDARD.encode(format!("{username}:{password}"));
        headers.push(("authorization".to_owned(), format!("Basic {credentials}")));
    }
    if let Some(signature) =
        webhook::option(integration, "secret").and_then(|secret| sign(secret, &id, &seconds, &body))
    {
        headers.push(("webhook-signature".to_owned(), signature));
    }
    headers.push(("webhook-id".to_owned(), id));
    headers.push(("webhook-timestamp".to_owned(), seconds));
    Parcel { method: Method::Post, url: url.to_owned(), headers, body }
}

/// `v1,` and the HMAC-SHA-256 of id, time and body. A secret that begins with `whsec_` is base64 behind that, any other is taken as
/// it is. Source: Standard Webhooks 1.0.
fn sign(secret: &str, id: &str, seconds: &str, body: &[u8]) -> Option<String> {
    let encoded = secret.strip_prefix("whsec_").and_then(|secret| BASE64_STANDARD.decode(secret).ok());
    let key = encoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

fn write_log(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    delivery: &Delivery,
    attempt: &Attempt,
    outcome: String,
) -> Result<(), StoreError> {
    let (request, answer) = match attempt {
        Attempt::Abandoned(_) => (Request::default(), None),
        Attempt::Made(parcel, outcome) => {
            let request = Request {
                method: parcel.method.name().to_owned(),
                path: parcel.url.clone(),
                query: String::new(),
                remote: None,
                headers: masked(parcel.headers.iter().map(|(name, value)| (name, value))),
                body: Body::of(&parcel.body),
            };
            (request, outcome.as_ref().ok())
        }
    };
    let id = objects::unused(transaction, LOGS, || ids.log(), LogId::as_str)?;
    let tiny_id = transaction.next_tiny_id(LOGS, &delivery.sid)?;
    let log = Log {
        sid: delivery.sid.clone(),
        id,
        created_at: now,
        updated_at: now,
        meta: Map::new(),
        tiny_id,
        direction: Direction::Outgoing,
        source_id: delivery.integration_id.clone(),
        alert_id: delivery.alert_id.clone(),
        thirdparty_id: None,
        action: delivery.event.clone(),
        outcome,
        status: answer.map(|answer| answer.status),
        event: Map::new(),
        request,
        response: answer.map(|answer| Response {
            headers: masked(answer.headers.iter().map(|(name, value)| (name, value))),
            body: Body::of(&answer.body),
        }),
    };
    transaction.insert(LOGS, &delivery.sid, tiny_id, log.id.as_str(), encode(&log)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // Source: the example of the Standard Webhooks specification.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_ne!(sign("plain", "msg_1", "1", body), sign("plainer", "msg_1", "1", body));
    }
}
