//! `cronitorio`: an alert of Cronitor.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, id) = (delivery.get("type"), delivery.get("id"));
    let action = match kind.text().as_str() {
        "Alert" => Action::Create,
        "Recovery" => Action::Resolve,
        // As Cronitor's own guide writes them.
        "ALERT" if !delivery.is_strict() => Action::Create,
        "RECOVERY" if !delivery.is_strict() => Action::Resolve,
        _ => return no_event("type", kind, id),
    };

    event(action, id)
        .title(delivery.get("monitor").text())
        .describe(delivery.get("description"))
        .text("Rule Violated", delivery.get("rule"))
        .done()
}
