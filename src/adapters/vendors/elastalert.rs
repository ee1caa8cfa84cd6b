//! `elastalert`: the PagerTree alerter of ElastAlert. Attributes begin with capitals.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor {
    retries_until_ok: true,
    ..Vendor::new("elastalert", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, id) = (request.get("event_type"), request.get("Id"));
    let action = match kind.text().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => return no_action("event_type", kind, id),
    };
    EventBuilder::new(action, id)
        .title(request.get("Title"))
        .description(request.get("Description"))
        .build()
}
