//! `status_gator`: the webhooks of StatusGator. Whether warnings and maintenance are alerts is the
//! integration's choice.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (status, monitor) = (delivery.get("status"), delivery.get("monitor"));
    let wanted = |option| Field::new(options.get(option)).flag(true);
    let action = match status.text().as_str() {
        "down" => Action::Create,
        "up" => Action::Resolve,
        "warn" if wanted("create_on_warn") => Action::Create,
        "maintenance" if wanted("create_on_maintenance") => Action::Create,
        _ => return no_event("status", status, monitor.get("id")),
    };

    event(action, monitor.get("id"))
        .title(delivery.get("message").text())
        .describe(delivery.get("details"))
        .text("Monitor Name", monitor.get("display_name"))
        .datetime("Recorded At", delivery.get("recorded_at"))
        .done()
}
