//! `uptime_observer`: the PagerTree notification of UptimeObserver.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (status, id) = (delivery.get("incident_status"), delivery.get("incident_id"));
    let action = match status.text().as_str() {
        "Active" => Action::Create,
        "Resolved" => Action::Resolve,
        _ => return no_event("incident_status", status, id),
    };

    event(action, id)
        .title(delivery.get("title").text())
        .describe(delivery.get("description"))
        .link("Incident URL", delivery.get("incident_url"))
        .link("Monitor URL", delivery.get("monitor_url"))
        .done()
}
