//! `cronitorio`: alerts of Cronitor.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("cronitorio", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, id) = (request.get("type"), request.get("id"));
    let action = match kind.text().as_str() {
        "Alert" => Action::Create,
        "Recovery" => Action::Resolve,
        // Cronitor's own guide writes them in capitals.
        word if !request.is_strict() && word.eq_ignore_ascii_case("alert") => Action::Create,
        word if !request.is_strict() && word.eq_ignore_ascii_case("recovery") => Action::Resolve,
        _ => return no_action("type", kind, id),
    };

    EventBuilder::new(action, id)
        .title(request.get("monitor"))
        .description(request.get("description"))
        .text("Rule Violated", request.get("rule"))
        .build()
}
