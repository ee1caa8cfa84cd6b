//! `uptimerobot`: the web-hook contact of UptimeRobot, which appends its parameters to an address
//! that ends in `/g?`.

use super::{
    Delivery,
    field::{Field, joined},
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let kind = delivery.get("alertTypeFriendlyName");
    let instant = delivery.get("alertDateTime").integer().unwrap_or_default();
    if !delivery.is_strict()
        && (kind.lower().contains("ssl") || delivery.get("alertType").integer() == Some(SSL_EXPIRY))
    {
        return certificate(delivery, instant);
    }

    let group = group(delivery, instant);
    let id = group
        .as_ref()
        .map_or(delivery.get("monitorID"), |group| Field::new(Some(group)));
    let action = match kind.lower().as_str() {
        "down" => Action::Create,
        "up" => Action::Resolve,
        _ => return no_event("alertTypeFriendlyName", kind, id),
    };

    let name = delivery.get("monitorFriendlyName").text();
    event(action, id)
        .title(format!("{name} is DOWN"))
        .description(format!(
            "{name} is DOWN because {}",
            delivery.get("alertDetails").text()
        ))
        .link("Monitor URL", delivery.get("monitorURL"))
        .datum(DatumKind::Datetime, "Triggered At", written(instant))
        .done()
}

/// `alertType` where a certificate is about to expire.
const SSL_EXPIRY: i64 = 3;

/// A certificate that is about to expire. It has an alert of its own, since the monitor is up all
/// the while.
fn certificate(delivery: &Delivery, instant: i64) -> Reading {
    let id = joined(
        [delivery.get("monitorID"), Field::new(Some(&"ssl".into()))],
        "_",
    );
    let name = delivery.get("monitorFriendlyName").text();

    event(Action::Create, Field::new(Some(&id)))
        .title(format!("The certificate of {name} expires"))
        .description(delivery.get("alertDetails").text())
        .link("Monitor URL", delivery.get("monitorURL"))
        .text("Days Left", delivery.get("sslExpiryDaysLeft"))
        .datum(DatumKind::Datetime, "Triggered At", written(instant))
        .done()
}

/// An instant in seconds, as alerts show it.
fn written(instant: i64) -> Value {
    let instant = DateTime::from_timestamp(instant, 0);
    instant.map_or(Value::Null, |instant| {
        instant.to_rfc3339_opts(SecondsFormat::Millis, true).into()
    })
}

/// With `groupSeconds`, a parameter that people add to the address, alerts are of a span of time
/// and not of a monitor.
fn group(delivery: &Delivery, instant: i64) -> Option<Value> {
    let seconds = delivery
        .get("groupSeconds")
        .integer()
        .filter(|seconds| *seconds > 0)?;
    Some(
        instant
            .saturating_sub(instant.rem_euclid(seconds))
            .to_string()
            .into(),
    )
}
