//! `kapacitor`: the HTTP POST handler of Kapacitor. Every level but OK is an alert.

use super::{Delivery, reading::event};
use crate::domain::event::{Action, AlertUrgency, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let level = delivery.get("level");
    let action = if level.is("OK") {
        Action::Resolve
    } else {
        Action::Create
    };

    // Kapacitor itself says WARNING, which PagerTree's adapter does not know.
    let urgency = match level.text().as_str() {
        "INFO" => Some(AlertUrgency::Low),
        "WARN" => Some(AlertUrgency::Medium),
        "CRITICAL" => Some(AlertUrgency::Critical),
        _ => None,
    };

    event(action, delivery.get("id"))
        .title(delivery.get("message").text())
        .describe(delivery.get("details"))
        .urgency(urgency)
        .done()
}
