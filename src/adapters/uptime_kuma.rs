//! `uptime_kuma`: the PagerTree notification of Uptime Kuma.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event, nothing},
    urgency,
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, id) = (delivery.get("event_type"), delivery.get("id"));
    let action = match kind.text().as_str() {
        "create" => Action::Create,
        "resolve" => Action::Resolve,
        _ => return no_event("event_type", kind, id),
    };

    let (monitor, heartbeat) = (delivery.get("monitor"), delivery.get("heartbeat"));
    if delivery.is_strict() && !id.is_there() {
        return nothing("it has no third-party id, so no alert was created", id);
    }

    // Warnings of certificates and messages of its test button are about no heartbeat and share one
    // id. Each is an alert of its own.
    let is_general = action == Action::Create && id.is("uptime-kuma") && !heartbeat.is_there();

    let id = if is_general && !delivery.is_strict() {
        Field::new(None)
    } else {
        id
    };

    event(action, id)
        .title(delivery.get("title").text())
        .describe(heartbeat.get("msg"))
        .urgency(urgency::first_in(
            &delivery.get("urgency").lower(),
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
        .done()
}
