//! `appdynamics`: HTTP request actions of AppDynamics, with the payload of PagerTree's guide.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("appdynamics", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, details) = (request.get("event_type"), request.get("details"));
    let (id, contexts) = (details.get("event_id"), request.get("contexts"));
    let action = match kind.text().as_str() {
        "trigger" => Action::Create,
        "resolve" => Action::Resolve,
        _ => return no_action("event_type", kind, id),
    };

    let (image, link) = (contexts.at(0), contexts.at(1));
    EventBuilder::new(action, id)
        .require("details", details.is_object_or_missing())
        .require(
            "contexts",
            contexts.is_list() || contexts.is_object_or_missing(),
        )
        .require(
            "contexts",
            image.is_object_or_missing() && link.is_object_or_missing(),
        )
        .title(request.get("incident_key"))
        .description_text(format!(
            "{}\n\n{}",
            request.get("description").text(),
            details.get("summary").text()
        ))
        .text("Event Name", details.get("event_name"))
        .datetime("Event Time", details.get("event_time"))
        .text("Application Name", details.get("application_name"))
        .text("Node Name", details.get("node_name"))
        .image(&image.get("alt").text(), image.get("src"))
        .link(&link.get("text").text(), link.get("href"))
        .build()
}
