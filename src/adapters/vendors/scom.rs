//! `scom`: System Center Operations Manager, with the script of PagerTree's guide.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("scom", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (state, id) = (request.get("resolutionState"), request.get("alertId"));
    let action = match state.text().as_str() {
        "New" => Action::Create,
        "Closed" => Action::Resolve,
        _ => return no_action("resolutionState", state, id),
    };
    EventBuilder::new(action, id)
        .title(request.get("alertName"))
        .description(request.get("alertDescription"))
        .build()
}
