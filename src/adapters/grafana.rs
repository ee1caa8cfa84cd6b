//! `grafana`: alerting of Grafana, before and since it was unified.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (state, id) = (delivery.get("state"), delivery.get("ruleId").or(delivery.get("groupKey")));
    let action = match state.text().as_str() {
        "alerting" => Action::Create,
        "ok" => Action::Resolve,
        _ => return no_event("state", state, id),
    };
    event(action, id)
        .title(delivery.get("ruleName").or(delivery.get("title")).text())
        .describe(delivery.get("message"))
        // As PagerTree's adapter reads it; Grafana sends `ruleUrl`.
        .link("URL", delivery.get("ruleURL"))
        .datum(DatumKind::Img, "Image", delivery.get("imageUrl").value())
        .done()
}
