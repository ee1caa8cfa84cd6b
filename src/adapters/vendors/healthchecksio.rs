//! `healthchecksio`: the PagerTree integration of Healthchecks.io.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("healthchecksio", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, id) = (request.get("event_type"), request.get("incident_key"));
    let action = match kind.text().as_str() {
        "trigger" => Action::Create,
        "resolve" => Action::Resolve,
        _ => return no_action("event_type", kind, id),
    };

    let tags = request.get("tags");
    EventBuilder::new(action, id)
        .require("tags", tags.is_text_or_missing())
        .title(request.get("title"))
        .description(request.get("description"))
        .tags(tags.text().split_ascii_whitespace())
        .link("Client URL", request.get("client_url"))
        .text("Client", request.get("client"))
        .build()
}
