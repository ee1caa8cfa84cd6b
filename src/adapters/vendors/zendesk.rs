//! `zendesk`: triggers and automations of Zendesk, with the payload of PagerTree's guide.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("zendesk", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, id, priority) = (
        request.get("event_type"),
        request.get("id"),
        request.get("priority"),
    );
    let action = match kind.text().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => return no_action("event_type", kind, id),
    };

    let urgency = match priority.lowercase().as_str() {
        "urgent" => Some(AlertUrgency::Critical),
        "high" => Some(AlertUrgency::High),
        "normal" => Some(AlertUrgency::Medium),
        "low" => Some(AlertUrgency::Low),
        _ => None,
    };

    // The description is plain text, but is displayed as HTML.
    EventBuilder::new(action, id)
        .title(request.get("title"))
        .description_text(format!("<pre>{}</pre>", request.get("description").text()))
        .urgency(urgency)
        .link("Zendesk Link", request.get("link"))
        .text("Priority", priority)
        .text("Ticket Type", request.get("ticket_type"))
        .text("Via", request.get("via"))
        .text("Assignee Name", request.get("assignee_name"))
        .build()
}
