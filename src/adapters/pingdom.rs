//! `pingdom`: the webhooks of Pingdom, for uptime checks and transactions. What changed tells what
//! happened.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_change, nothing},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let id = delivery.get("check_id");
    let (previous, current) = (
        delivery.get("previous_state"),
        delivery.get("current_state"),
    );
    let action = match (previous.text().as_str(), current.text().as_str()) {
        ("UP", "DOWN") | ("SUCCESS", "FAILING") => Action::Create,
        ("DOWN", "UP") | ("FAILING", "SUCCESS") => Action::Resolve,
        _ => return no_change(("previous_state", previous), ("current_state", current), id),
    };

    let parameters = delivery.get("check_params");
    if action == Action::Create && !parameters.may_have_members() {
        return nothing("'check_params' is no object", id);
    }

    event(action, id)
        .title(format!(
            "{} {}",
            delivery.get("check_name").text(),
            current.text()
        ))
        .describe(delivery.get("description"))
        .tags(delivery.get("tags").items().map(Field::text))
        .link("Full URL", parameters.get("full_url"))
        .text("Importance Level", delivery.get("importance_level"))
        .text("Custom Message", delivery.get("custom_message"))
        .done()
}
