//! `form`: submissions of a form. Each one creates an alert.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor {
    missing_id: MissingId::Generate,
    ..Vendor::new("form", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let urgency = AlertUrgency::parse(&request.get("urgency").text())
        .filter(|urgency| *urgency != AlertUrgency::Silent);
    EventBuilder::new(Action::Create, None)
        .title(request.get("title"))
        .description(request.get("description"))
        .urgency(urgency)
        .text("Name", request.get("name"))
        .email("Email", request.get("email"))
        .phone("Phone", request.get("phone"))
        .build()
}
