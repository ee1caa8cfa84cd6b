//! `uptimerobot`: the web-hook contact of UptimeRobot, which appends its parameters to an address that ends in `/g?`.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let kind = delivery.get("alertTypeFriendlyName");
    let instant = delivery.get("alertDateTime").integer().unwrap_or_default();
    let group = group(delivery, instant);
    let id = group.as_ref().map_or(delivery.get("monitorID"), |group| Field::new(Some(group)));
    let action = match kind.lower().as_str() {
        "down" => Action::Create,
        "up" => Action::Resolve,
        _ => return no_event("alertTypeFriendlyName", kind, id),
    };
    let name = delivery.get("monitorFriendlyName").text();
    let instant = DateTime::from_timestamp(instant, 0);
    let instant = instant.map_or(Value::Null, |instant| instant.to_rfc3339_opts(SecondsFormat::Millis, true).into());
    event(action, id)
        .title(format!("{name} is DOWN"))
        .description(format!("{name} is DOWN because {}", delivery.get("alertDetails").text()))
        .link("Monitor URL", delivery.get("monitorURL"))
        .datum(DatumKind::Datetime, "Triggered At", instant)
        .done()
}

/// With `groupSeconds`, a parameter that people add to the address, alerts are of a span of time and not of a monitor.
fn group(delivery: &Delivery, instant: i64) -> Option<Value> {
    let seconds = delivery.get("groupSeconds").integer().filter(|seconds| *seconds > 0)?;
    Some(instant.saturating_sub(instant.rem_euclid(seconds)).to_string().into())
}
