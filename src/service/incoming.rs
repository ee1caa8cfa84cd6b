//! What third parties report: understood, brought into order with what came before, and kept, all in one commit.

use super::{
    alerts,
    fault::Fault,
    objects::{self, encode},
    outgoing::{self, Bell},
    tally::Tally,
    throttle::Throttle,
};
use crate::{
    adapters::{self, Answer, Delivery},
    clock::Clock,
    domain::{
        alert::{Alert, Origin, Step},
        event::{Action, Content, Event, FreshId, Reading},
        ids::{AlertId, IntegrationId, LogId},
        integration::Integration,
        log::{Body, Direction, Log, Request, masked},
        rejection::Rejection,
        timestamp::Timestamp,
    },
    ids::Ids,
    store::{INTEGRATIONS, LOGS, Store, StoreError, Stored, Transaction},
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A request of a third party.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What was sent, in the form that adapters read.
    pub delivery: Delivery,
    /// The path that it was sent to.
    pub path: String,
    /// Where it came from.
    pub remote: Option<String>,
}

/// What the third party is answered: a status, and nearly always nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Taken, whatever became of it. (200)
    Taken,
    /// The integration takes no events now. (405)
    Disabled,
    /// A token or signature is wrong. (403)
    Blocked,
}

impl Receipt {
    /// The HTTP status. Source: api.md section 7.
    pub fn status(self) -> u16 {
        match self {
            Self::Taken => 200,
            Self::Blocked => 403,
            Self::Disabled => 405,
        }
    }
}

/// The desk for events.
#[derive(Clone, Debug)]
pub struct Incoming {
    store: Store,
    clock: Clock,
    ids: Ids,
    bell: Bell,
    tally: Tally,
    confirms: bool,
}

/// An integration, and what it made of a request.
struct Understood {
    record: Stored,
    integration: Integration,
    reading: Option<Reading>,
}

impl Incoming {
    /// A desk that works on `store` and rings `bell` when there may be something to send. Whether it `confirms` is whether the
    /// subscriptions that third parties want confirmed are.
    pub fn new(store: Store, clock: Clock, ids: Ids, bell: Bell, tally: Tally, confirms: bool) -> Self {
        Self { store, clock, ids, bell, tally, confirms }
    }

    /// The integration of type `email` that is called so.
    ///
    /// # Errors
    /// There is none; the store failed.
    pub fn mailbox(&self, name: &str) -> Result<IntegrationId, Fault> {
        let not_found = || Rejection::NotFound("Integration");
        let id = IntegrationId::parse(name).map_err(|_| not_found())?;
        let found = self.store.record(INTEGRATIONS, id.as_str())?.ok_or_else(not_found)?;
        match objects::decode::<Integration>(&found)?.integration_type.as_str() {
            "email" => Ok(id),
            _ => Err(not_found().into()),
        }
    }

    /// Takes an event, if `throttle` allows one more of this integration. What became of it stands in the log that it left.
    ///
    /// # Errors
    /// No such integration; too many events; the store failed.
    pub async fn take(
        &self,
        id: IntegrationId,
        arrival: Arrival,
        throttle: &Throttle,
    ) -> Result<(Receipt, Option<Answer>), Fault> {
        let not_found = || Rejection::NotFound("Integration");
        let found = self.store.record(INTEGRATIONS, id.as_str())?.ok_or_else(not_found)?;
        let integration = objects::decode(&found)?;
        match throttle.check(id.as_str()) {
            // Whatever is refused is sent for ever by these.
            Err(_) if repeats_for_ever(&integration) => return Ok((Receipt::Taken, None)),
            outcome => outcome?,
        }
        // Not on the writer's thread, which all others wait for.
        let arrival = Arc::new(arrival);
        let understood = understand(found, integration, &arrival.delivery);
        let answer = understood.answer(&arrival.delivery);
        let (clock, ids, confirms) = (self.clock.clone(), self.ids.clone(), self.confirms);
        let outcome: Result<(Receipt, &'static str), Fault> = self
            .store
            .write(move |transaction| {
                let current = transaction.record(INTEGRATIONS, id.as_str())?.ok_or_else(not_found)?;
                let understood = match current == understood.record {
                    true => understood,
                    false => understand(current.clone(), objects::decode(&current)?, &arrival.delivery),
                };
                Ok(keep(transaction, &ids, clock.now(), &understood, &arrival, confirms)?)
            })
            .await;
        self.bell.ring();
        let (receipt, action) = outcome?;
        self.tally.event(action);
        Ok((receipt, answer))
    }
}

fn understand(record: Stored, integration: Integration, delivery: &Delivery) -> Understood {
    let kind = integration.integration_type.as_str();
    let reading = integration.enabled.then(|| adapters::read(kind, delivery, &integration.options));
    Understood { record, integration, reading }
}

impl Understood {
    /// What this type of third party wants to read.
    fn answer(&self, delivery: &Delivery) -> Option<Answer> {
        let Integration { integration_type, options, .. } = &self.integration;
        self.reading
            .as_ref()
            .and_then(|reading| adapters::answer(integration_type.as_str(), delivery, options, reading))
    }
}

/// One public client takes anything but 200 for a failure, and sends the same again until it is 200.
fn repeats_for_ever(integration: &Integration) -> bool {
    integration.integration_type.as_str() == "elastalert"
}

/// What became of an event.
struct Outcome {
    receipt: Receipt,
    action: &'static str,
    thirdparty_id: Option<String>,
    alert_id: Option<AlertId>,
    sentence: String,
    event: Map<String, Value>,
}

impl Outcome {
    fn without_event(receipt: Receipt, action: &'static str, sentence: impl Into<String>) -> Self {
        let (thirdparty_id, alert_id, event) = (None, None, Map::new());
        Self { receipt, action, thirdparty_id, alert_id, sentence: sentence.into(), event }
    }
}

/// Does what the event asks for, and writes the log. What the event was taken for stands beside the receipt.
fn keep(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    understood: &Understood,
    arrival: &Arrival,
    confirms: bool,
) -> Result<(Receipt, &'static str), StoreError> {
    let integration = &understood.integration;
    let log_id = objects::unused(transaction, LOGS, || ids.log(), LogId::as_str)?;
    let outcome = match &understood.reading {
        None => disabled(integration),
        Some(Reading::Blocked { reason }) => Outcome::without_event(Receipt::Blocked, "blocked", reason),
        Some(Reading::Nothing { reason, thirdparty_id, confirm }) => {
            let then = match confirm {
                None => "",
                Some(_) if !confirms => "; it is not confirmed, since outgoing.confirm_subscriptions is false",
                Some(url) => {
                    outgoing::confirm(transaction, integration, url, &log_id, now)?;
                    "; it is about to be confirmed"
                }
            };
            let outcome = Outcome::without_event(Receipt::Taken, "other", format!("{reason}{then}"));
            Outcome { thirdparty_id: thirdparty_id.clone(), ..outcome }
        }
        Some(Reading::Event(event)) => happen(transaction, ids, now, integration, &log_id, event)?,
    };
    let kept = (outcome.receipt, outcome.action);
    write_log(transaction, now, integration, log_id, outcome, arrival)?;
    Ok(kept)
}

/// One public client takes anything but 200 for a failure that it repeats for ever.
fn disabled(integration: &Integration) -> Outcome {
    let receipt =
        if integration.integration_type.as_str() == "elastalert" { Receipt::Taken } else { Receipt::Disabled };
    Outcome::without_event(receipt, "disabled", "the integration is disabled")
}

fn happen(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    integration: &Integration,
    log_id: &LogId,
    event: &Event,
) -> Result<Outcome, StoreError> {
    let thirdparty_id = event.thirdparty_id.clone().unwrap_or_else(|| fresh_id(ids, event.fresh_id));
    let source_id = integration.id.as_str();
    let subject = alerts::subject(&integration.sid, Some(source_id), Some(&thirdparty_id));
    let newest = subject.map(|subject| alerts::newest(transaction, &subject)).transpose()?.flatten();
    let action = if event.first_creates && newest.is_none() { Action::Create } else { event.action };
    let origin = Origin {
        thirdparty_id: Some(thirdparty_id.clone()),
        source_id: Some(source_id.to_owned()),
        s_log_id: Some(log_id.clone()),
        destination_ids: integration.destination_ids.clone(),
        urgency: integration.urgency.into(),
    };
    let (alert_id, sentence) = match (action, newest) {
        (Action::Create | Action::Recreate, _) if refusal(&event.content).is_some() => {
            (None, refusal(&event.content).unwrap_or_default().to_owned())
        }
        (Action::Create, Some(alert)) if alert.status.goes_on() => {
            let sentence = format!("the alert is {} already, so none was created", alert.status.as_str());
            (Some(alert.id), sentence)
        }
        (Action::Recreate, Some(mut alert)) if alert.status.goes_on() => {
            let sentence = format!("the alert '{}' was resolved and another one created", alert.id);
            alert.follow(Step::Resolve, source_id, now);
            alerts::taken(transaction, &alert, Step::Resolve)?;
            (Some(create(transaction, ids, integration, event, origin, now)?), sentence)
        }
        (Action::Create | Action::Recreate, _) => {
            (Some(create(transaction, ids, integration, event, origin, now)?), "an alert was created".into())
        }
        (Action::Other, newest) => (newest.map(|alert| alert.id), "it stands for no event".to_owned()),
        (Action::Acknowledge, newest) => follow(transaction, newest, Step::Acknowledge, source_id, now)?,
        (Action::Resolve, newest) => follow(transaction, newest, Step::Resolve, source_id, now)?,
    };
    let content = serde_json::to_value(&event.content).map_err(objects::unreadable)?;
    let event = match content {
        Value::Object(members) if matches!(action, Action::Create | Action::Recreate) => members,
        _ => Map::new(),
    };
    let thirdparty_id = Some(thirdparty_id);
    Ok(Outcome { receipt: Receipt::Taken, action: name(action), thirdparty_id, alert_id, sentence, event })
}

fn name(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Recreate => "recreate",
        Action::Acknowledge => "acknowledge",
        Action::Resolve => "resolve",
        Action::Other => "other",
    }
}

fn fresh_id(ids: &Ids, form: FreshId) -> String {
    let uuid = ids.thirdparty();
    match form {
        FreshId::Uuid => uuid,
        FreshId::Hex => uuid.replace('-', ""),
    }
}

/// Why there can be no alert with this content.
fn refusal(content: &Content) -> Option<&'static str> {
    const SEVERITIES: [&str; 6] = ["SEV-1", "SEV-2", "SEV-3", "SEV-4", "SEV-5", "SEV-UNKNOWN"];
    let severe = content.incident.as_ref().is_none_or(|incident| SEVERITIES.contains(&incident.severity.as_str()));
    if content.title.trim().is_empty() {
        return Some("it has no title, so no alert was created");
    }
    (!severe).then_some("its incident has no severity of SEV-1 to SEV-5 or SEV-UNKNOWN, so no alert was created")
}

fn create(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    integration: &Integration,
    event: &Event,
    origin: Origin,
    now: Timestamp,
) -> Result<AlertId, StoreError> {
    let (alert, _) = alerts::insert(transaction, ids, &integration.sid, event.content.clone(), origin, now)?;
    Ok(alert.id)
}

fn follow(
    transaction: &mut Transaction<'_>,
    newest: Option<Alert>,
    step: Step,
    source_id: &str,
    now: Timestamp,
) -> Result<(Option<AlertId>, String), StoreError> {
    let Some(mut alert) = newest else {
        return Ok((None, format!("there is no alert with this id that could be {}", step.done())));
    };
    if !alert.follow(step, source_id, now) {
        let sentence = format!("the alert is {}, so it was not {}", alert.status.as_str(), step.done());
        return Ok((Some(alert.id), sentence));
    }
    alerts::taken(transaction, &alert, step)?;
    Ok((Some(alert.id), format!("the alert was {}", step.done())))
}

fn write_log(
    transaction: &mut Transaction<'_>,
    now: Timestamp,
    integration: &Integration,
    id: LogId,
    outcome: Outcome,
    arrival: &Arrival,
) -> Result<(), StoreError> {
    let parts = arrival.delivery.parts();
    let tiny_id = transaction.next_tiny_id(LOGS, &integration.sid)?;
    let log = Log {
        sid: integration.sid.clone(),
        id,
        created_at: now,
        updated_at: now,
        meta: Map::new(),
        tiny_id,
        direction: Direction::Incoming,
        source_id: integration.id.clone(),
        alert_id: outcome.alert_id,
        thirdparty_id: outcome.thirdparty_id,
        action: outcome.action.to_owned(),
        outcome: outcome.sentence,
        status: Some(outcome.receipt.status()),
        event: outcome.event,
        request: Request {
            method: parts.method.clone(),
            path: arrival.path.clone(),
            query: parts.query.clone(),
            remote: arrival.remote.clone(),
            headers: masked(parts.headers.iter().map(|(name, value)| (name, value))),
            body: Body::of(&parts.body),
        },
        response: None,
    };
    transaction.insert(LOGS, &integration.sid, tiny_id, log.id.as_str(), encode(&log)?)
}
