//! `logic_monitor`: custom HTTP deliveries of LogicMonitor, with the payload of PagerTree's
//! guide.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("logic_monitor", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (status, id) = (request.get("alertstatus"), request.get("internalid"));
    let action = match status.text().as_str() {
        "active" | "test" => Action::Create,
        "ack" => Action::Acknowledge,
        "clear" => Action::Resolve,
        _ => return no_action("alertstatus", status, id),
    };

    let urgency = match request.get("level").lowercase().as_str() {
        "warn" | "warning" => Some(AlertUrgency::Medium),
        "error" => Some(AlertUrgency::High),
        "critical" => Some(AlertUrgency::Critical),
        _ => None,
    };

    EventBuilder::new(action, id)
        .title(request.get("eventmsg"))
        .description(request.get("eventlogmsg"))
        .urgency(urgency)
        .text("Host", request.get("host"))
        .text("Service", request.get("service"))
        .build()
}
