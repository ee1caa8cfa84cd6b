//! `appdynamics`: an HTTP request action of AppDynamics, with the payload of PagerTree's guide.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, details) = (delivery.get("event_type"), delivery.get("details"));
    let (id, contexts) = (details.get("event_id"), delivery.get("contexts"));
    let action = match kind.text().as_str() {
        "trigger" => Action::Create,
        "resolve" => Action::Resolve,
        _ => return no_event("event_type", kind, id),
    };

    let (image, link) = (contexts.at(0), contexts.at(1));
    event(action, id)
        .only_if("details", details.may_have_members())
        .only_if(
            "contexts",
            contexts.is_list() || contexts.may_have_members(),
        )
        .only_if(
            "contexts",
            image.may_have_members() && link.may_have_members(),
        )
        .title(delivery.get("incident_key").text())
        .description(format!(
            "{}\n\n{}",
            delivery.get("description").text(),
            details.get("summary").text()
        ))
        .text("Event Name", details.get("event_name"))
        .datetime("Event Time", details.get("event_time"))
        .text("Application Name", details.get("application_name"))
        .text("Node Name", details.get("node_name"))
        .datum(
            DatumKind::Img,
            &image.get("alt").text(),
            image.get("src").value(),
        )
        .link(&link.get("text").text(), link.get("href"))
        .done()
}
