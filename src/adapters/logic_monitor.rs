//! `logic_monitor`: the custom HTTP delivery of LogicMonitor, with the payload of PagerTree's
//! guide.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, AlertUrgency, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (status, id) = (delivery.get("alertstatus"), delivery.get("internalid"));
    let action = match status.text().as_str() {
        "active" | "test" => Action::Create,
        "ack" => Action::Acknowledge,
        "clear" => Action::Resolve,
        _ => return no_event("alertstatus", status, id),
    };

    let urgency = match delivery.get("level").lower().as_str() {
        "warn" | "warning" => Some(AlertUrgency::Medium),
        "error" => Some(AlertUrgency::High),
        "critical" => Some(AlertUrgency::Critical),
        _ => None,
    };

    event(action, id)
        .title(delivery.get("eventmsg").text())
        .describe(delivery.get("eventlogmsg"))
        .urgency(urgency)
        .text("Host", delivery.get("host"))
        .text("Service", delivery.get("service"))
        .done()
}
