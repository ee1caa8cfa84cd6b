//! `uptime_kuma`: the PagerTree notification of Uptime Kuma.

use super::{
    Delivery,
    reading::{event, no_event},
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
    event(action, id)
        .title(delivery.get("title").text())
        .describe(heartbeat.get("msg"))
        .urgency(urgency::first_in(&delivery.get("urgency").lower(), &urgency::ALL))
        .tags(monitor.get("tags").items().map(|tag| tag.get("name").text()))
        .link("URL", monitor.get("url"))
        .text("Method", monitor.get("method"))
        .datetime("Time", heartbeat.get("time"))
        .done()
}
