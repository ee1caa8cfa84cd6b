//! `kapacitor`: the HTTP POST handler of Kapacitor. Every level other than OK creates an
//! alert.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("kapacitor", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let level = request.get("level");
    let action = if level.is("OK") {
        Action::Resolve
    } else {
        Action::Create
    };

    // Kapacitor sends WARNING, which PagerTree's adapter does not know.
    let urgency = match level.text().as_str() {
        "INFO" => Some(AlertUrgency::Low),
        "WARN" => Some(AlertUrgency::Medium),
        "CRITICAL" => Some(AlertUrgency::Critical),
        _ => None,
    };

    EventBuilder::new(action, request.get("id"))
        .title(request.get("message"))
        .description(request.get("details"))
        .urgency(urgency)
        .build()
}
