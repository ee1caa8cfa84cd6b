//! `xitoring`: the PagerTree notification of Xitoring.

use super::{
    Delivery, compare,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (status, id) = (delivery.get("status"), delivery.get("id"));
    // Numbers, and not texts of digits.
    let is = |number: i64| compare::is_same(&status.value(), &number.into());

    let action = match (is(0), is(1)) {
        (true, _) => Action::Create,
        (_, true) => Action::Resolve,
        _ => return no_event("status", status, id),
    };

    let text = |name| delivery.get(name).text();
    event(action, id)
        // The first name is misspelt in PagerTree's adapter.
        .title(format!(
            "[{}] {} is Down",
            text("tpye_human_readable"),
            text("label")
        ))
        .describe(delivery.get("message"))
        .text("Group", delivery.get("group"))
        .text("Subgroup", delivery.get("sub_group"))
        .text("Value", delivery.get("value"))
        .text("Unit", delivery.get("unit"))
        .datetime("Incident Time", delivery.get("incident_time"))
        .done()
}
