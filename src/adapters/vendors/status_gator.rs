//! `status_gator`: webhooks of StatusGator. Options decide whether warnings and maintenance create
//! alerts.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("status_gator", parse);

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let (status, monitor) = (request.get("status"), request.get("monitor"));
    let is_enabled = |option| options.get(option).bool_or(true);
    let action = match status.text().as_str() {
        "down" => Action::Create,
        "up" => Action::Resolve,
        "warn" if is_enabled("create_on_warn") => Action::Create,
        "maintenance" if is_enabled("create_on_maintenance") => Action::Create,
        _ => return no_action("status", status, monitor.get("id")),
    };

    EventBuilder::new(action, monitor.get("id"))
        .title(request.get("message"))
        .description(request.get("details"))
        .text("Monitor Name", monitor.get("display_name"))
        .datetime("Recorded At", request.get("recorded_at"))
        .build()
}
