//! `statuscake`: webhooks of a StatusCake contact group, a form. The URL identifies an alert, not
//! the test.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("statuscake", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (status, url) = (request.get("Status"), request.get("URL"));
    let action = match status.lowercase().as_str() {
        "down" => Action::Create,
        "up" => Action::Resolve,
        _ => return no_action("Status", status, url),
    };

    EventBuilder::new(action, url)
        .title(format!("{} is down", request.get("Name").text()))
        .tags(request.get("Tags").text().split(','))
        .link("URL", url)
        .text("Status Code", request.get("StatusCode"))
        .text("IP", request.get("IP"))
        // PagerTree's adapter reads `Check Rate`, although StatusCake sends `Checkrate`.
        .text("Check Rate", request.get("Check Rate"))
        .build()
}
