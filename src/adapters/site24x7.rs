//! `site24x7`: the webhooks of Site24x7.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (status, id) = (delivery.get("STATUS"), delivery.get("MONITOR_ID"));
    let action = match status.text().as_str() {
        "DOWN" => Action::Create,
        "UP" => Action::Resolve,
        // The other states of a monitor in which it is not well.
        "CRITICAL" | "TROUBLE" if !delivery.is_strict() => Action::Create,
        _ => return no_event("STATUS", status, id),
    };

    let state = if action == Action::Create {
        status.text()
    } else {
        "DOWN".to_owned()
    };

    let (name, reason) = (delivery.get("MONITORNAME"), delivery.get("INCIDENT_REASON"));
    event(action, id)
        .title(format!("{} is {state}", name.text()))
        .description(format!(
            "{} is {state} because {}",
            name.text(),
            reason.text()
        ))
        .link(
            "Site 24x7 Dashboard URL",
            delivery.get("MONITOR_DASHBOARD_LINK"),
        )
        .text("Monitor Name", name)
        .link("Monitor URL", delivery.get("MONITORURL"))
        .text("Group Name", delivery.get("MONITOR_GROUPNAME"))
        .text("Reason", reason)
        .text("Failed Locations", delivery.get("FAILED_LOCATIONS"))
        .datetime("Failed At", delivery.get("INCIDENT_TIME_ISO"))
        .done()
}
