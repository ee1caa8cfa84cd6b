//! `newrelic`: workflows of New Relic, and the older notification channels.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("newrelic", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let id = request.get("incident_id").or(request.get("id"));
    let Some(action) = action(request) else {
        return no_action(deciding_parameter(request), request.get(deciding_parameter(request)), id);
    };

    EventBuilder::new(action, id)
        .title(request.get("condition_name").or(request.get("title")))
        .description(request.get("details"))
        .text("Account Name", request.get("account_name"))
        .link("Incident URL", request.get("incident_url"))
        .link("Issue URL", request.get("issueUrl"))
        .build()
}

/// The parameter that decides the action.
fn deciding_parameter(request: &InboundRequest) -> &'static str {
    match request.get("event_type") {
        kind if kind.is("INCIDENT") => "current_state",
        kind if kind.is_some() => "event_type",
        _ => "state",
    }
}

/// Channels send the name of the event, or `INCIDENT` and its state; workflows send the state of an
/// issue.
fn action(request: &InboundRequest) -> Option<Action> {
    let event = request.get("event_type").text();
    let current = if event == "INCIDENT" {
        request.get("current_state").text()
    } else {
        String::new()
    };

    match (
        event.as_str(),
        current.as_str(),
        request.get("state").text().as_str(),
    ) {
        ("INCIDENT_OPEN", _, _) | (_, "open", _) | (_, _, "CREATED" | "ACTIVATED") => {
            Some(Action::Create)
        }
        ("INCIDENT_ACKNOWLEDGED", _, _) | (_, "acknowledged", _) => Some(Action::Acknowledge),
        ("INCIDENT_RESOLVED", _, _) | (_, "closed", _) | (_, _, "CLOSED") => Some(Action::Resolve),
        _ => None,
    }
}
