//! `elastalert`: the PagerTree alerter of ElastAlert, whose attributes begin with capitals.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, id) = (delivery.get("event_type"), delivery.get("Id"));
    let action = match kind.text().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => return no_event("event_type", kind, id),
    };
    event(action, id)
        .title(delivery.get("Title").text())
        .describe(delivery.get("Description"))
        .done()
}
