//! What becomes of an event: the rules of its sequence, and the log, within the writer's command.

use super::{EventAck, IncomingEvent, ParsedRequest};
use crate::{
    adapters::InboundRequest,
    domain::{
        alert::{Alert, AlertAction, AlertOrigin},
        event::{Action, Content, Event, FreshId, ParsedEvent},
        ids::{AlertId, LogId},
        integration::Integration,
        log::{Log, LogBody, LogDirection, LoggedRequest, Secrets, masked, masked_query},
        timestamp::Timestamp,
    },
    ids::Ids,
    service::{
        alerts,
        objects::{self, encode},
        webhooks,
    },
    store::{LOGS, StoreError, Transaction},
};
use serde_json::{Map, Value};

/// What became of an event.
struct Outcome {
    receipt: EventAck,
    action: &'static str,
    thirdparty_id: Option<String>,
    alert_id: Option<AlertId>,
    sentence: String,
    event: Map<String, Value>,
}

impl Outcome {
    fn without_event(receipt: EventAck, action: &'static str, sentence: impl Into<String>) -> Self {
        let (thirdparty_id, alert_id, event) = (None, None, Map::new());
        Self {
            receipt,
            action,
            thirdparty_id,
            alert_id,
            sentence: sentence.into(),
            event,
        }
    }
}

/// Does what the event asks for, and writes the log. What the event was taken for stands beside the
/// receipt.
pub(super) fn keep(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    understood: ParsedRequest,
    confirms: bool,
) -> Result<(EventAck, &'static str), StoreError> {
    let integration = &understood.integration;
    let log_id = objects::unused(transaction, LOGS, || ids.log(), LogId::as_str)?;
    let outcome = match &understood.parsed {
        None => Outcome::without_event(
            EventAck::of_disabled(integration),
            "disabled",
            "the integration is disabled",
        ),
        Some(ParsedEvent::Blocked { reason }) => {
            Outcome::without_event(EventAck::Blocked, "blocked", reason)
        }
        Some(ParsedEvent::Ignored {
            reason,
            thirdparty_id,
            confirm,
        }) => {
            let then = match confirm {
                None => "",
                Some(_) if !confirms => {
                    "; it is not confirmed, since outgoing.confirm_subscriptions is false"
                }
                Some(url) => {
                    webhooks::enqueue_confirmation(transaction, integration, url, &log_id, now)?;
                    "; it is about to be confirmed"
                }
            };

            let outcome =
                Outcome::without_event(EventAck::Accepted, "other", format!("{reason}{then}"));
            Outcome {
                thirdparty_id: thirdparty_id.clone(),
                ..outcome
            }
        }
        Some(ParsedEvent::Event(event)) => {
            happen(transaction, ids, now, integration, &log_id, event)?
        }
    };

    let kept = (outcome.receipt, outcome.action);
    write_log(
        transaction,
        now,
        integration,
        log_id,
        outcome.receipt.status(),
        outcome,
        understood.shown,
    )?;

    Ok(kept)
}

/// Writes the log of an event that was refused before it was read.
pub(super) fn write_refused(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    integration: &Integration,
    status: u16,
    reason: String,
    request: LoggedRequest,
) -> Result<(), StoreError> {
    let log_id = objects::unused(transaction, LOGS, || ids.log(), LogId::as_str)?;
    let outcome = Outcome::without_event(EventAck::Accepted, "refused", reason);
    write_log(
        transaction,
        now,
        integration,
        log_id,
        status,
        outcome,
        request,
    )
}

fn happen(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    integration: &Integration,
    log_id: &LogId,
    event: &Event,
) -> Result<Outcome, StoreError> {
    let thirdparty_id = event
        .thirdparty_id
        .clone()
        .unwrap_or_else(|| fresh_id(ids, event.fresh_id, now));
    let source_id = integration.id.as_str();
    let subject = alerts::subject(&integration.sid, Some(source_id), Some(&thirdparty_id));
    let newest = subject
        .map(|subject| alerts::newest(transaction, &subject))
        .transpose()?
        .flatten();
    let action = if event.first_creates && newest.is_none() {
        Action::Create
    } else {
        event.action
    };

    let origin = AlertOrigin {
        thirdparty_id: Some(thirdparty_id.clone()),
        source_id: Some(source_id.to_owned()),
        s_log_id: Some(log_id.clone()),
        destination_ids: integration.destination_ids.clone(),
        urgency: integration.urgency.into(),
    };

    let refused = refusal(&event.content);
    let (alert_id, sentence) = match (action, newest) {
        (Action::Create | Action::Recreate, _) if refused.is_some() => {
            (None, refused.unwrap_or_default().to_owned())
        }
        (Action::Create, Some(alert)) if alert.status.is_active() => {
            let sentence = format!(
                "the alert is {} already, so none was created",
                alert.status.as_str()
            );
            (Some(alert.id), sentence)
        }
        (Action::Recreate, Some(mut alert)) if alert.status.is_active() => {
            let sentence = format!(
                "the alert '{}' was resolved and another one created",
                alert.id
            );
            alert.follow(AlertAction::Resolve, source_id, now);
            alerts::taken(transaction, &alert, AlertAction::Resolve)?;
            (
                Some(create(transaction, ids, integration, event, origin, now)?),
                sentence,
            )
        }
        (Action::Create | Action::Recreate, _) => (
            Some(create(transaction, ids, integration, event, origin, now)?),
            "an alert was created".into(),
        ),
        (Action::Other, newest) => (
            newest.map(|alert| alert.id),
            "it stands for no event".to_owned(),
        ),
        (Action::Acknowledge, newest) => follow(
            transaction,
            newest,
            AlertAction::Acknowledge,
            source_id,
            now,
        )?,
        (Action::Resolve, newest) => {
            follow(transaction, newest, AlertAction::Resolve, source_id, now)?
        }
    };

    let content = serde_json::to_value(&event.content).map_err(objects::unreadable)?;
    let event = match content {
        Value::Object(members) if matches!(action, Action::Create | Action::Recreate) => members,
        _ => Map::new(),
    };

    let thirdparty_id = Some(thirdparty_id);
    Ok(Outcome {
        receipt: EventAck::Accepted,
        action: name(action),
        thirdparty_id,
        alert_id,
        sentence,
        event,
    })
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

fn fresh_id(ids: &Ids, form: FreshId, now: Timestamp) -> String {
    match form {
        FreshId::Uuid => ids.thirdparty(),
        FreshId::Hex => ids.thirdparty().replace('-', ""),
        FreshId::Ulid => ids.ulid(now.millis()),
    }
}

/// Why there can be no alert with this content.
fn refusal(content: &Content) -> Option<&'static str> {
    const SEVERITIES: [&str; 6] = ["SEV-1", "SEV-2", "SEV-3", "SEV-4", "SEV-5", "SEV-UNKNOWN"];
    let severe = content
        .incident
        .as_ref()
        .is_none_or(|incident| SEVERITIES.contains(&incident.severity.as_str()));
    if content.title.trim().is_empty() {
        return Some("it has no title, so no alert was created");
    }
    (!severe).then_some(
        "its incident has no severity of SEV-1 to SEV-5 or SEV-UNKNOWN, so no alert was created",
    )
}

fn create(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    integration: &Integration,
    event: &Event,
    origin: AlertOrigin,
    now: Timestamp,
) -> Result<AlertId, StoreError> {
    let (alert, _) = alerts::insert(
        transaction,
        ids,
        &integration.sid,
        event.content.clone(),
        origin,
        now,
    )?;
    Ok(alert.id)
}

fn follow(
    transaction: &mut Transaction<'_>,
    newest: Option<Alert>,
    step: AlertAction,
    source_id: &str,
    now: Timestamp,
) -> Result<(Option<AlertId>, String), StoreError> {
    let Some(mut alert) = newest else {
        return Ok((
            None,
            format!(
                "there is no alert with this id that could be {}",
                step.done()
            ),
        ));
    };

    if !alert.follow(step, source_id, now) {
        let sentence = format!(
            "the alert is {}, so it was not {}",
            alert.status.as_str(),
            step.done()
        );
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
    status: u16,
    outcome: Outcome,
    request: LoggedRequest,
) -> Result<(), StoreError> {
    let tiny_id = transaction.next_tiny_id(LOGS, &integration.sid)?;
    let log = Log {
        sid: integration.sid.clone(),
        id,
        created_at: now,
        updated_at: now,
        meta: Map::new(),
        tiny_id,
        direction: LogDirection::Incoming,
        source_id: integration.id.clone(),
        alert_id: outcome.alert_id,
        thirdparty_id: outcome.thirdparty_id,
        action: outcome.action.to_owned(),
        outcome: outcome.sentence,
        status: Some(status),
        event: outcome.event,
        request,
        response: None,
    };

    transaction.insert(
        LOGS,
        &integration.sid,
        tiny_id,
        log.id.as_str(),
        encode(&log)?,
    )
}

/// The request as its log shows it. Made before the command, since it takes as long as there are
/// options and text.
pub(super) fn shown(integration: &Integration, arrived: &IncomingEvent) -> LoggedRequest {
    shown_request(
        integration,
        &arrived.request,
        arrived.path.clone(),
        arrived.remote.clone(),
    )
}

/// The same of a request that has not become an event.
pub(super) fn shown_request(
    integration: &Integration,
    request: &InboundRequest,
    path: String,
    remote: Option<String>,
) -> LoggedRequest {
    let parts = request.parts();
    let secrets = Secrets::of(&integration.options);
    LoggedRequest {
        method: parts.method.clone(),
        path,
        query: secrets.hidden_in(&masked_query(&parts.query)),
        remote,
        headers: masked(parts.headers.iter().map(|(name, value)| (name, value))),
        body: shown_body(request, &secrets),
    }
}

/// The body, without what only those may know who send it.
fn shown_body(request: &InboundRequest, secrets: &Secrets) -> LogBody {
    let parts = request.parts();
    let mut body = LogBody::decoded(&request.text(), &parts.body);
    let kind = parts
        .headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map_or("", |(_, kind)| kind.as_str());

    if kind
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("application/x-www-form-urlencoded")
    {
        body.text = masked_query(&body.text);
    }

    body.text = secrets.hidden_in(&body.text);
    body
}
