//! `solarwinds`: the HTTP action of a SolarWinds alert, with the payload of PagerTree's guide.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, AlertUrgency, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, id) = (delivery.get("ActionType"), delivery.get("AlertID"));
    let action = match kind.lower().as_str() {
        "create" => Action::Create,
        "resolve" => Action::Resolve,
        _ => return no_event("ActionType", kind, id),
    };

    // The names are those of PagerTree's adapter; the guide's payload has `Severity` and
    // `AlertDetailsUrl`.
    let urgency = match delivery.get("severity").lower().as_str() {
        "notice" | "informational" => Some(AlertUrgency::Low),
        "warning" => Some(AlertUrgency::Medium),
        "serious" => Some(AlertUrgency::High),
        "critical" => Some(AlertUrgency::Critical),
        _ => None,
    };

    event(action, id)
        .title(delivery.get("AlertMessage").text())
        .describe(delivery.get("AlertDescription"))
        .urgency(urgency)
        .link("Alert Details URL", delivery.get("AlertDetailsURL"))
        .text("Node", delivery.get("NodeName"))
        .done()
}
