//! `healthchecksio`: the PagerTree integration of Healthchecks.io.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, id) = (delivery.get("event_type"), delivery.get("incident_key"));
    let action = match kind.text().as_str() {
        "trigger" => Action::Create,
        "resolve" => Action::Resolve,
        _ => return no_event("event_type", kind, id),
    };

    let tags = delivery.get("tags");
    event(action, id)
        .only_if("tags", tags.may_be_text())
        .title(delivery.get("title").text())
        .describe(delivery.get("description"))
        .tags(tags.text().split_ascii_whitespace())
        .link("Client URL", delivery.get("client_url"))
        .text("Client", delivery.get("client"))
        .done()
}
