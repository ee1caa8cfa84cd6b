//! `uptime_observer`: the PagerTree notification of UptimeObserver.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("uptime_observer", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (status, id) = (request.get("incident_status"), request.get("incident_id"));
    let action = match status.text().as_str() {
        "Active" => Action::Create,
        "Resolved" => Action::Resolve,
        _ => return no_action("incident_status", status, id),
    };

    EventBuilder::new(action, id)
        .title(request.get("title"))
        .description(request.get("description"))
        .link("Incident URL", request.get("incident_url"))
        .link("Monitor URL", request.get("monitor_url"))
        .build()
}
