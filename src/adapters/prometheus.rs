//! `prometheus`: the webhook receiver of Alertmanager, version 4 of its format. One group of alerts
//! is one alert.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event},
};
use crate::domain::event::{Action, AlertUrgency, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (status, group) = (delivery.get("status"), delivery.get("groupKey"));
    let action = match status.text().as_str() {
        "firing" => Action::Create,
        "resolved" => Action::Resolve,
        _ => return no_event("status", status, group),
    };

    let (receiver, labels) = (delivery.get("receiver"), delivery.get("commonLabels"));
    let annotations = delivery.get("commonAnnotations");
    let name = labels.get("alertname");
    let urgency = AlertUrgency::parse(&labels.get("severity").text())
        .filter(|urgency| *urgency != AlertUrgency::Silent);
    let reading = event(action, group)
        .only_if("commonLabels", labels.may_have_members())
        .only_if("commonAnnotations", annotations.may_have_members())
        .title(if name.is_there() {
            name.text()
        } else {
            unnamed(receiver)
        })
        .describe(annotations.get("summary"))
        .urgency(urgency)
        .link("Alert Manager URL", delivery.get("externalURL"))
        .text("Receiver", receiver);

    labels
        .members()
        .fold(reading, |reading, (name, value)| {
            reading.datum(DatumKind::Text, name, value.text().into())
        })
        .done()
}

/// What a group is called whose alerts have no name in common.
fn unnamed(receiver: Field<'_>) -> String {
    receiver.filled().map_or_else(
        || "Prometheus firing".to_owned(),
        |name| format!("Prometheus {name} firing"),
    )
}
