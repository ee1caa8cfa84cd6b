//! `pingdom`: webhooks of Pingdom for uptime checks and transactions. The transition between two
//! states decides the action.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("pingdom", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let id = request.get("check_id");
    let (previous, current) = (
        request.get("previous_state"),
        request.get("current_state"),
    );
    let action = match (previous.text().as_str(), current.text().as_str()) {
        ("UP", "DOWN") | ("SUCCESS", "FAILING") => Action::Create,
        ("DOWN", "UP") | ("FAILING", "SUCCESS") => Action::Resolve,
        _ => return no_transition(("previous_state", previous), ("current_state", current), id),
    };

    let parameters = request.get("check_params");
    if action == Action::Create && !parameters.is_object_or_missing() {
        return ignored("'check_params' is not an object", id);
    }

    EventBuilder::new(action, id)
        .title(format!(
            "{} {}",
            request.get("check_name").text(),
            current.text()
        ))
        .description(request.get("description"))
        .tags(request.get("tags").items().map(Field::text))
        .link("Full URL", parameters.get("full_url"))
        .text("Importance Level", request.get("importance_level"))
        .text("Custom Message", request.get("custom_message"))
        .build()
}
