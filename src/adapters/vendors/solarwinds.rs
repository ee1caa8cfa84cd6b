//! `solarwinds`: HTTP actions of SolarWinds alerts, with the payload of PagerTree's guide.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("solarwinds", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, id) = (request.get("ActionType"), request.get("AlertID"));
    let action = match kind.lowercase().as_str() {
        "create" => Action::Create,
        "resolve" => Action::Resolve,
        _ => return no_action("ActionType", kind, id),
    };

    // PagerTree's adapter reads `severity` and `AlertDetailsURL`, although its guide sends
    // `Severity` and `AlertDetailsUrl`.
    let urgency = match request.get("severity").lowercase().as_str() {
        "notice" | "informational" => Some(AlertUrgency::Low),
        "warning" => Some(AlertUrgency::Medium),
        "serious" => Some(AlertUrgency::High),
        "critical" => Some(AlertUrgency::Critical),
        _ => None,
    };

    EventBuilder::new(action, id)
        .title(request.get("AlertMessage"))
        .description(request.get("AlertDescription"))
        .urgency(urgency)
        .link("Alert Details URL", request.get("AlertDetailsURL"))
        .text("Node", request.get("NodeName"))
        .build()
}
