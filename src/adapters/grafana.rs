//! `grafana`: alerting of Grafana, before and since it was unified.

use super::{
    Delivery, prometheus,
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

/// What Alertmanager sends by itself lacks the state that Grafana adds.
pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (state, id) = (
        delivery.get("state"),
        delivery.get("ruleId").or(delivery.get("groupKey")),
    );
    let action = match state.text().as_str() {
        "alerting" => Action::Create,
        "ok" => Action::Resolve,
        "" if !delivery.is_strict() && delivery.get("groupKey").is_there() => {
            return prometheus::read(delivery, options);
        }
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
