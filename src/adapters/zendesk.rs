//! `zendesk`: a trigger or automation of Zendesk, with the payload of PagerTree's guide.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, AlertUrgency, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, id, priority) = (
        delivery.get("event_type"),
        delivery.get("id"),
        delivery.get("priority"),
    );
    let action = match kind.text().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => return no_event("event_type", kind, id),
    };

    let urgency = match priority.lower().as_str() {
        "urgent" => Some(AlertUrgency::Critical),
        "high" => Some(AlertUrgency::High),
        "normal" => Some(AlertUrgency::Medium),
        "low" => Some(AlertUrgency::Low),
        _ => None,
    };

    // It is plain text, and descriptions are shown as HTML.
    event(action, id)
        .title(delivery.get("title").text())
        .description(format!("<pre>{}</pre>", delivery.get("description").text()))
        .urgency(urgency)
        .link("Zendesk Link", delivery.get("link"))
        .text("Priority", priority)
        .text("Ticket Type", delivery.get("ticket_type"))
        .text("Via", delivery.get("via"))
        .text("Assignee Name", delivery.get("assignee_name"))
        .done()
}
