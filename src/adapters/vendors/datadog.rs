//! `datadog`: webhooks of Datadog, with the payload of PagerTree's guide.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("datadog", parse);

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let (transition, id) = (request.get("ALERT_TRANSITION"), request.get("ALERT_ID"));
    let recreates = options.get("support_retriggered_event").is_true();
    let action = match transition.text().as_str() {
        "Triggered" => Action::Create,
        "Re-Triggered" if recreates => Action::Recreate,
        "Recovered" => Action::Resolve,
        // The other states of a failing monitor.
        "No Data" | "Warn" if !request.is_strict() => Action::Create,
        "Re-No Data" | "Re-Warn" if recreates && !request.is_strict() => Action::Recreate,
        _ => return no_action("ALERT_TRANSITION", transition, id),
    };

    let tags = request.get("TAGS");
    EventBuilder::new(action, id)
        .require("TAGS", tags.is_text_or_missing())
        .title(request.get("ALERT_TITLE"))
        .description(request.get("ALERT_STATUS"))
        .tags(tags.text().split(','))
        .dedup_keys(request.get("AGGREG_KEY").non_empty())
        .link("Link", request.get("LINK"))
        .text("Priority", request.get("PRIORITY"))
        .text("Event Type", request.get("EVENT_TYPE"))
        .text("Event Title", request.get("EVENT_TITLE"))
        .build()
}
