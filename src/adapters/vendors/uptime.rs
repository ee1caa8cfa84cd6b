//! `uptime`: the custom postback of Uptime.com.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("uptime", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, service) = (request.get("event"), request.dig(["data", "service"]));
    let action = match kind.text().as_str() {
        "alert_raised" => Action::Create,
        "alert_cleared" => Action::Resolve,
        _ => return no_action("event", kind, service.get("id")),
    };

    EventBuilder::new(action, service.get("id"))
        .title(service.get("display_name"))
        .description(request.dig(["data", "alert", "output"]))
        .tags(service.get("tags").items().map(Field::text))
        .text("Service Name", service.get("name"))
        .text("Service Address", service.get("msp_address"))
        .build()
}
