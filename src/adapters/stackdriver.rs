//! `stackdriver`: the webhook channel of Google Cloud Monitoring, once Stackdriver.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let incident = delivery.get("incident");
    let (state, id) = (incident.get("state"), incident.get("incident_id"));
    let action = match state.text().as_str() {
        "open" => Action::Create,
        "closed" => Action::Resolve,
        _ => return no_event("incident.state", state, id),
    };

    event(action, id)
        .title(incident.get("summary").text())
        .link("Incident URL", incident.get("url"))
        .text("Policy Name", incident.get("policy_name"))
        .text("Condition Name", incident.get("condition_name"))
        .text("Resource Name", incident.get("resource_name"))
        .done()
}
