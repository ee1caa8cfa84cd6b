//! `prometheus`: the webhook receiver of Alertmanager, version 4. Each group of alerts is one
//! alert.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("prometheus", parse);

pub(super) fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (status, group) = (request.get("status"), request.get("groupKey"));
    let action = match status.text().as_str() {
        "firing" => Action::Create,
        "resolved" => Action::Resolve,
        _ => return no_action("status", status, group),
    };

    let (receiver, labels) = (request.get("receiver"), request.get("commonLabels"));
    let annotations = request.get("commonAnnotations");
    let name = labels.get("alertname");
    let urgency = AlertUrgency::parse(&labels.get("severity").text())
        .filter(|urgency| *urgency != AlertUrgency::Silent);
    let event = EventBuilder::new(action, group)
        .require("commonLabels", labels.is_object_or_missing())
        .require("commonAnnotations", annotations.is_object_or_missing())
        .title(if name.is_some() {
            name.text()
        } else {
            default_title(receiver)
        })
        .description(annotations.get("summary"))
        .urgency(urgency)
        .link("Alert Manager URL", request.get("externalURL"))
        .text("Receiver", receiver);

    labels
        .members()
        .fold(event, |event, (name, value)| event.text(name, value.text()))
        .build()
}

/// The title of a group whose alerts have no common name.
fn default_title(receiver: Field<'_>) -> String {
    receiver.non_empty().map_or_else(
        || "Prometheus firing".to_owned(),
        |name| format!("Prometheus {name} firing"),
    )
}
