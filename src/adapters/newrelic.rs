//! `newrelic`: New Relic, both the old notification channels and the workflows that came after
//! them.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let id = delivery.get("incident_id").or(delivery.get("id"));
    let Some(action) = action(delivery) else {
        return no_event(told_by(delivery), delivery.get(told_by(delivery)), id);
    };

    event(action, id)
        .title(
            delivery
                .get("condition_name")
                .or(delivery.get("title"))
                .text(),
        )
        .describe(delivery.get("details"))
        .text("Account Name", delivery.get("account_name"))
        .link("Incident URL", delivery.get("incident_url"))
        .link("Issue URL", delivery.get("issueUrl"))
        .done()
}

/// The parameter that says what happened.
fn told_by(delivery: &Delivery) -> &'static str {
    match delivery.get("event_type") {
        kind if kind.is("INCIDENT") => "current_state",
        kind if kind.is_there() => "event_type",
        _ => "state",
    }
}

/// The channels say it by an event, or by the state after an unnamed one; the workflows by the
/// state of an issue.
fn action(delivery: &Delivery) -> Option<Action> {
    let event = delivery.get("event_type").text();
    let current = if event == "INCIDENT" {
        delivery.get("current_state").text()
    } else {
        String::new()
    };

    match (
        event.as_str(),
        current.as_str(),
        delivery.get("state").text().as_str(),
    ) {
        ("INCIDENT_OPEN", _, _) | (_, "open", _) | (_, _, "CREATED" | "ACTIVATED") => {
            Some(Action::Create)
        }
        ("INCIDENT_ACKNOWLEDGED", _, _) | (_, "acknowledged", _) => Some(Action::Acknowledge),
        ("INCIDENT_RESOLVED", _, _) | (_, "closed", _) | (_, _, "CLOSED") => Some(Action::Resolve),
        _ => None,
    }
}
