//! `uptime_kuma`: the PagerTree notification of Uptime Kuma.

use super::prelude::*;
use crate::adapters::urgency;

pub(super) const VENDOR: Vendor = Vendor {
    missing_id: MissingId::Generate,
    ..Vendor::new("uptime_kuma", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, id) = (request.get("event_type"), request.get("id"));
    let action = match kind.text().as_str() {
        "create" => Action::Create,
        "resolve" => Action::Resolve,
        _ => return no_action("event_type", kind, id),
    };

    let (monitor, heartbeat) = (request.get("monitor"), request.get("heartbeat"));
    if request.is_strict() && !id.is_some() {
        return ignored("the event has no third-party id", None);
    }

    // Certificate warnings and test messages have no heartbeat and share one id. Each gets an
    // alert.
    let is_general = action == Action::Create && id.is("uptime-kuma") && !heartbeat.is_some();
    let id = id
        .non_empty()
        .filter(|_| !is_general || request.is_strict());

    EventBuilder::new(action, id)
        .title(request.get("title"))
        .description(heartbeat.get("msg"))
        .urgency(urgency::first_in(
            &request.get("urgency").lowercase(),
            &urgency::ALL,
        ))
        .tags(
            monitor
                .get("tags")
                .items()
                .map(|tag| tag.get("name").text()),
        )
        .link("URL", monitor.get("url"))
        .text("Method", monitor.get("method"))
        .datetime("Time", heartbeat.get("time"))
        .build()
}
