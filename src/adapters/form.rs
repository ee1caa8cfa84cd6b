//! `form`: what somebody writes into a form. Each is an alert of its own.

use super::{Delivery, field::Field, reading::event};
use crate::domain::event::{Action, AlertUrgency, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let urgency = AlertUrgency::parse(&delivery.get("urgency").text())
        .filter(|urgency| *urgency != AlertUrgency::Silent);
    event(Action::Create, Field::new(None))
        .title(delivery.get("title").text())
        .describe(delivery.get("description"))
        .urgency(urgency)
        .text("Name", delivery.get("name"))
        .datum(DatumKind::Email, "Email", delivery.get("email").value())
        .datum(DatumKind::Phone, "Phone", delivery.get("phone").value())
        .done()
}
