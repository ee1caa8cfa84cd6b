//! `uptime`: the custom postback of Uptime.com.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, service) = (delivery.get("event"), delivery.dig(["data", "service"]));
    let action = match kind.text().as_str() {
        "alert_raised" => Action::Create,
        "alert_cleared" => Action::Resolve,
        _ => return no_event("event", kind, service.get("id")),
    };

    event(action, service.get("id"))
        .title(service.get("display_name").text())
        .describe(delivery.dig(["data", "alert", "output"]))
        .tags(service.get("tags").items().map(Field::text))
        .text("Service Name", service.get("name"))
        .text("Service Address", service.get("msp_address"))
        .done()
}
