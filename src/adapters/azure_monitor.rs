//! `azure_monitor`: an action group of Azure Monitor, in its common alert schema.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, AlertUrgency, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let essentials = delivery.dig(["data", "essentials"]);
    let (condition, id) = (essentials.get("monitorCondition"), essentials.get("alertId"));
    let action = match condition.text().as_str() {
        "Fired" => Action::Create,
        "Resolved" => Action::Resolve,
        _ => return no_event("monitorCondition", condition, id),
    };
    let (rule, severity) = (essentials.get("alertRule"), essentials.get("severity"));
    let urgency = match severity.text().as_str() {
        "Sev0" | "Sev1" => Some(AlertUrgency::Critical),
        "Sev2" => Some(AlertUrgency::High),
        "Sev3" => Some(AlertUrgency::Medium),
        "Sev4" => Some(AlertUrgency::Low),
        _ => None,
    };
    event(action, id)
        .title(rule.text())
        .describe(essentials.get("description"))
        .urgency(urgency)
        .text("Monitoring Service", essentials.get("monitoringService"))
        .text("Alert Rule", rule)
        .text("Severity", severity)
        .datetime("Fired At", essentials.get("firedDateTime"))
        .done()
}
