//! `apexping`: an alert of Apex Ping.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (state, id, check) = (
        delivery.get("state"),
        delivery.dig(["alert", "id"]),
        delivery.get("check"),
    );
    let action = match state.text().as_str() {
        "triggered" => Action::Create,
        "resolved" => Action::Resolve,
        _ => return no_event("state", state, id),
    };

    let url = format!(
        "{}://{}",
        check.get("protocol").text(),
        check.get("url").text()
    );

    event(action, id)
        .only_if("alert", delivery.get("alert").may_have_members())
        .only_if("check", check.may_have_members())
        .title(format!("{} {}", check.get("name").text(), state.text()))
        .datum(DatumKind::Link, "URL", url.into())
        .text("Method", check.get("method"))
        .datetime("Triggered At", delivery.get("triggered_at"))
        .done()
}
