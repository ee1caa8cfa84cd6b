//! `prtg`: the HTTP action of PRTG, a form. Its test button sends the placeholder `%status` as it
//! is.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (status, sensor) = (delivery.get("status"), delivery.get("sensorid"));
    let action = match status.lower().as_str() {
        "down" | "%status" => Action::Create,
        text if text.contains("now: up") => Action::Resolve,
        // Sent again while the sensor is still down.
        "down escalation" | "down repeat" if !delivery.is_strict() => Action::Create,
        _ => return no_event("status", status, sensor),
    };

    let name = delivery.get("sensor");
    let reading =
        event(action, sensor).title(format!("Sensor {} {} is DOWN", sensor.text(), name.text()));
    let all = delivery.all().members();

    all.fold(reading, |reading, (name, value)| {
        reading.datum(DatumKind::Text, name, value.text().into())
    })
    .done()
}
