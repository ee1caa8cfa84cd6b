//! `auvik`: an alert of Auvik, whose status and severity are numbers, and texts of digits are not.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, AlertUrgency, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (status, id) = (delivery.get("alertStatus"), delivery.get("correlationId"));
    let action = match status.value().as_i64() {
        Some(0) => Action::Create,
        Some(1) => Action::Resolve,
        _ => return no_event("alertStatus", status, id),
    };

    let urgency = match delivery.get("alertSeverity").value().as_i64() {
        Some(1) => Some(AlertUrgency::Critical),
        Some(2) => Some(AlertUrgency::High),
        Some(3) => Some(AlertUrgency::Medium),
        Some(4) => Some(AlertUrgency::Low),
        _ => None,
    };

    let entity = delivery.get("entityId");
    event(action, id)
        .title(delivery.get("alertName").text())
        .describe(delivery.get("alertDescription"))
        .urgency(urgency)
        .link("URL", delivery.get("link"))
        .text("Alert Severity", delivery.get("alertSeverityString"))
        .text("Correlation ID", id)
        .text("Alert ID", delivery.get("alertId"))
        .text("Entity ID", entity)
        .text("Entity Name", delivery.get("entityName"))
        .text("Entity Type", delivery.get("entityType"))
        // Twice, as PagerTree's adapter shows it.
        .text("Entity ID", entity)
        .text("Company Name", delivery.get("companyName"))
        .datetime("Date", delivery.get("date"))
        .done()
}
