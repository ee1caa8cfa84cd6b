//! Applying an event to the alerts of its integration, within the writer's command.

use super::{
    EventAck, Events, ParsedRequest,
    event_log::{self, Outcome},
};
use crate::{
    domain::{
        alert::{Alert, AlertAction, AlertOrigin, AlertSubtype},
        event::{Action, Content, Event, FreshId, ParsedEvent},
        ids::{AlertId, LogId},
        integration::Integration,
        thirdparty_id,
        timestamp::Timestamp,
    },
    ids::{IdBasis, Ids},
    service::{alerts, objects, webhooks},
    store::{DedupKey, LOGS, StoreError, Transaction},
};
use serde_json::{Map, Value};

impl Events {
    /// Applies a parsed event and writes its log. Returns the acknowledgement and the action in the
    /// log.
    pub(super) fn apply(
        &self,
        transaction: &mut Transaction<'_>,
        parsed: ParsedRequest,
    ) -> Result<(EventAck, &'static str), StoreError> {
        let integration = &parsed.integration;
        let id = event_log::unused_id(transaction, &self.ids, &integration.sid)?;
        let (ack, outcome) =
            self.apply_parsed(transaction, integration, parsed.parsed.as_ref(), &id)?;

        let action = outcome.action;
        let entry = event_log::EventLog {
            id,
            status: self.statuses.status(ack),
            outcome,
            request: parsed.logged,
        };
        let now = self.clock.now_in(&integration.sid);
        event_log::write(transaction, now, integration, entry)?;

        Ok((ack, action))
    }

    /// Applies a parsed event, which is `None` if the integration is disabled. Returns the
    /// acknowledgement and what the log `id` says.
    pub(super) fn apply_parsed(
        &self,
        transaction: &mut Transaction<'_>,
        integration: &Integration,
        parsed: Option<&ParsedEvent>,
        id: &LogId,
    ) -> Result<(EventAck, Outcome), StoreError> {
        let now = self.clock.now_in(&integration.sid);
        Ok(match parsed {
            None => (
                EventAck::for_disabled(integration),
                Outcome::without_event("disabled", "the integration is disabled"),
            ),
            Some(ParsedEvent::Blocked { reason }) => {
                (EventAck::Blocked, Outcome::without_event("blocked", reason))
            }
            Some(ParsedEvent::Ignored {
                reason,
                thirdparty_id,
                confirm,
                interpretation,
            }) => {
                let url = confirm.as_deref();
                let confirmation = self.confirm(transaction, integration, url, id, now)?;
                let text = interpretation.append_errors_to(format!("{reason}{confirmation}"));
                let outcome = Outcome {
                    thirdparty_id: thirdparty_id.clone(),
                    ..Outcome::without_event("other", text)
                };
                (EventAck::Accepted, outcome)
            }
            Some(ParsedEvent::Event(event)) => {
                let outcome = apply_event(transaction, &self.ids, now, integration, id, event)?;
                (EventAck::Accepted, outcome)
            }
        })
    }

    /// Enqueues the confirmation of a subscription, if there is one. Returns what the log says of
    /// it.
    fn confirm(
        &self,
        transaction: &mut Transaction<'_>,
        integration: &Integration,
        url: Option<&str>,
        log: &LogId,
        now: Timestamp,
    ) -> Result<&'static str, StoreError> {
        Ok(match url {
            None => "",
            Some(_) if !self.confirms_subscriptions => {
                "; not confirmed because outgoing.confirm_subscriptions is false"
            }
            Some(url) => {
                webhooks::enqueue_confirmation(transaction, integration, url, log, now)?;
                "; the confirmation is enqueued"
            }
        })
    }
}

fn apply_event(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    integration: &Integration,
    log_id: &LogId,
    event: &Event,
) -> Result<Outcome, StoreError> {
    let thirdparty_id = match &event.thirdparty_id {
        Some(id) => id.clone(),
        None => {
            // Each event leaves one log.
            let number = transaction.next_tiny_id(LOGS, &integration.sid)?;
            let basis = IdBasis::new(&integration.sid, number);
            fresh_id(ids, basis, event.fresh_id, now)
        }
    };
    let source_id = integration.id.as_str();
    let latest = alerts::dedup_key(&integration.sid, Some(source_id), Some(&thirdparty_id))
        .map(|key| alerts::latest(transaction, &key))
        .transpose()?
        .flatten();
    let action = if event.first_creates && latest.is_none() {
        Action::Create
    } else {
        event.action
    };

    let origin = AlertOrigin {
        subtype: AlertSubtype::Alert,
        thirdparty_id: Some(thirdparty_id.clone()),
        source_id: Some(source_id.to_owned()),
        s_log_id: Some(log_id.clone()),
        destination_ids: integration.destination_ids.clone(),
        urgency: integration.urgency.into(),
    };

    let obstacle = creation_obstacle(&event.content);
    let in_thread = alert_in_thread(transaction, integration, event)?;
    let (alert_id, text) = match (action, latest) {
        (Action::Create | Action::Recreate, _) if obstacle.is_some() => {
            (None, obstacle.unwrap_or_default().to_owned())
        }
        (Action::Create, Some(alert)) if alert.status.is_active() => {
            let status = alert.status.as_str();
            let text =
                format!("no alert was created because there is one already, and it is {status}");
            (Some(alert.id), text)
        }
        (Action::Create, _) if in_thread.is_some() => {
            let id = in_thread.map(|alert| alert.id);
            let text = "no alert was created because the message replies to one that has an alert, \
                        or is in the same thread";
            (id, text.to_owned())
        }
        (Action::Recreate, Some(mut alert)) if alert.status.is_active() => {
            let text = format!(
                "the alert '{}' was resolved and a new one created",
                alert.id
            );
            alert.apply_event(AlertAction::Resolve, source_id, now);
            alerts::save_action(transaction, &alert, AlertAction::Resolve)?;
            let id = create(transaction, ids, integration, event, origin, now)?;
            (Some(id), text)
        }
        (Action::Create | Action::Recreate, _) => {
            let id = create(transaction, ids, integration, event, origin, now)?;
            (Some(id), "an alert was created".to_owned())
        }
        (Action::Other, latest) => (
            latest.map(|alert| alert.id),
            "the request does not represent an event".to_owned(),
        ),
        (Action::Acknowledge, latest) => {
            let action = AlertAction::Acknowledge;
            follow(transaction, latest, action, source_id, now)?
        }
        (Action::Resolve, latest) => {
            follow(transaction, latest, AlertAction::Resolve, source_id, now)?
        }
    };

    let text = event.interpretation.append_errors_to(text);
    let content = serde_json::to_value(&event.content).map_err(objects::unreadable)?;
    let event = match content {
        Value::Object(members) if matches!(action, Action::Create | Action::Recreate) => members,
        _ => Map::new(),
    };

    Ok(Outcome {
        action: action_name(action),
        thirdparty_id: Some(thirdparty_id),
        alert_id,
        text,
        event,
    })
}

/// The active alert of a message in the thread of an event.
fn alert_in_thread(
    transaction: &Transaction<'_>,
    integration: &Integration,
    event: &Event,
) -> Result<Option<Alert>, StoreError> {
    let (account, source) = (&integration.sid, integration.id.as_str());
    for id in &event.thread {
        for key in [
            DedupKey::new(account, source, &thirdparty_id::stored_form(id)),
            DedupKey::in_thread(account, source, id),
        ] {
            let latest = alerts::latest(transaction, &key)?;
            if latest
                .as_ref()
                .is_some_and(|alert| alert.status.is_active())
            {
                return Ok(latest);
            }
        }
    }
    Ok(None)
}

fn action_name(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Recreate => "recreate",
        Action::Acknowledge => "acknowledge",
        Action::Resolve => "resolve",
        Action::Other => "other",
    }
}

fn fresh_id(ids: &Ids, basis: IdBasis<'_>, form: FreshId, now: Timestamp) -> String {
    match form {
        FreshId::Uuid => ids.thirdparty(basis),
        FreshId::Hex => ids.thirdparty(basis).replace('-', ""),
        FreshId::Ulid => ids.ulid(basis, now.millis()),
    }
}

/// Why no alert can be created from this content.
fn creation_obstacle(content: &Content) -> Option<&'static str> {
    const SEVERITIES: [&str; 6] = ["SEV-1", "SEV-2", "SEV-3", "SEV-4", "SEV-5", "SEV-UNKNOWN"];
    if content.title.trim().is_empty() {
        return Some("no alert was created because the event has no title");
    }

    let has_severity = content
        .incident
        .as_ref()
        .is_none_or(|incident| SEVERITIES.contains(&incident.severity.as_str()));
    (!has_severity).then_some(
        "no alert was created because the incident's severity is not one of SEV-1 to SEV-5 and \
         SEV-UNKNOWN",
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

    let (account, source) = (&integration.sid, integration.id.as_str());
    for id in &event.thread {
        let thread = DedupKey::in_thread(account, source, id);
        transaction.join_thread(account, &thread, alert.id.as_str());
    }
    Ok(alert.id)
}

/// Applies an action to the latest alert, if its status allows that.
fn follow(
    transaction: &mut Transaction<'_>,
    latest: Option<Alert>,
    action: AlertAction,
    source_id: &str,
    now: Timestamp,
) -> Result<(Option<AlertId>, String), StoreError> {
    let done = action.past_participle();
    let Some(mut alert) = latest else {
        return Ok((None, format!("there is no alert with this id to be {done}")));
    };

    if !alert.apply_event(action, source_id, now) {
        let status = alert.status.as_str();
        let text = format!("the alert was not {done} because it is {status}");
        return Ok((Some(alert.id), text));
    }

    alerts::save_action(transaction, &alert, action)?;
    Ok((Some(alert.id), format!("the alert was {done}")))
}
