//! `deadmanssnitch`: a snitch of Dead Man's Snitch. What happened and the two statuses must agree.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, snitch) = (delivery.get("type"), delivery.dig(["data", "snitch"]));
    let id = snitch.get("token");
    let statuses = [snitch.get("previous_status"), snitch.get("status")].map(Field::text);
    let action = match (
        kind.text().as_str(),
        statuses.each_ref().map(String::as_str),
    ) {
        ("snitch.missing", ["healthy", "missing"]) => Action::Create,
        ("snitch.reporting", ["missing", "healthy"]) => Action::Resolve,
        _ => return no_event("type", kind, id),
    };

    event(action, id)
        .title(snitch.get("name").text())
        .describe(snitch.get("notes"))
        .tags(snitch.get("tags").items().map(Field::text))
        .done()
}
