//! `site24x7`: webhooks of Site24x7.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("site24x7", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (status, id) = (request.get("STATUS"), request.get("MONITOR_ID"));
    let state = if request.is_strict() {
        status.text()
    } else {
        status.text().to_uppercase()
    };
    let action = match state.as_str() {
        "DOWN" => Action::Create,
        "UP" => Action::Resolve,
        // The other states of a failing monitor.
        "CRITICAL" | "TROUBLE" if !request.is_strict() => Action::Create,
        _ => return no_action("STATUS", status, id),
    };

    let state = match action {
        Action::Create => state,
        _ => "DOWN".to_owned(),
    };

    let (name, reason) = (request.get("MONITORNAME"), request.get("INCIDENT_REASON"));
    EventBuilder::new(action, id)
        .title(format!("{} is {state}", name.text()))
        .description_text(format!(
            "{} is {state} because {}",
            name.text(),
            reason.text()
        ))
        .link(
            "Site 24x7 Dashboard URL",
            request.get("MONITOR_DASHBOARD_LINK"),
        )
        .text("Monitor Name", name)
        .link("Monitor URL", request.get("MONITORURL"))
        .text("Group Name", request.get("MONITOR_GROUPNAME"))
        .text("Reason", reason)
        .text("Failed Locations", request.get("FAILED_LOCATIONS"))
        .datetime("Failed At", request.get("INCIDENT_TIME_ISO"))
        .build()
}
