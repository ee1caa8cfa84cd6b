//! `auvik`: alerts of Auvik. Status and severity must be numbers; strings of digits do not count.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("auvik", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (status, id) = (request.get("alertStatus"), request.get("correlationId"));
    let action = match status.value().as_i64() {
        Some(0) => Action::Create,
        Some(1) => Action::Resolve,
        _ => return no_action("alertStatus", status, id),
    };

    let urgency = match request.get("alertSeverity").value().as_i64() {
        Some(1) => Some(AlertUrgency::Critical),
        Some(2) => Some(AlertUrgency::High),
        Some(3) => Some(AlertUrgency::Medium),
        Some(4) => Some(AlertUrgency::Low),
        _ => None,
    };

    let entity = request.get("entityId");
    EventBuilder::new(action, id)
        .title(request.get("alertName"))
        .description(request.get("alertDescription"))
        .urgency(urgency)
        .link("URL", request.get("link"))
        .text("Alert Severity", request.get("alertSeverityString"))
        .text("Correlation ID", id)
        .text("Alert ID", request.get("alertId"))
        .text("Entity ID", entity)
        .text("Entity Name", request.get("entityName"))
        .text("Entity Type", request.get("entityType"))
        // PagerTree's adapter repeats this entry.
        .text("Entity ID", entity)
        .text("Company Name", request.get("companyName"))
        .datetime("Date", request.get("date"))
        .build()
}
