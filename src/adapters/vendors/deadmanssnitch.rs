//! `deadmanssnitch`: snitches of Dead Man's Snitch. The event must agree with both statuses.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("deadmanssnitch", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, snitch) = (request.get("type"), request.dig(["data", "snitch"]));
    let id = snitch.get("token");
    let statuses = [snitch.get("previous_status"), snitch.get("status")].map(Field::text);
    let action = match (
        kind.text().as_str(),
        statuses.each_ref().map(String::as_str),
    ) {
        ("snitch.missing", ["healthy", "missing"]) => Action::Create,
        ("snitch.reporting", ["missing", "healthy"]) => Action::Resolve,
        _ => return no_action("type", kind, id),
    };

    EventBuilder::new(action, id)
        .title(snitch.get("name"))
        .description(snitch.get("notes"))
        .tags(snitch.get("tags").items().map(Field::text))
        .build()
}
