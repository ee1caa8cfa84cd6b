//! `hyperping`: a check of Hyperping. The address is what an alert is of.

use super::{
    Delivery,
    instant::milliseconds,
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, check) = (delivery.get("event"), delivery.get("check"));
    let (url, date) = (check.get("url"), check.get("date"));
    let action = match kind.text().as_str() {
        "check.down" => Action::Create,
        "check.up" => Action::Resolve,
        _ => return no_event("event", kind, url),
    };

    let since = if date.is_text() {
        Value::Null
    } else {
        milliseconds(date)
    };

    event(action, url)
        .title(format!("{} is DOWN", url.text()))
        .link("URL", url)
        .text("Status Code", check.get("status"))
        .datum(DatumKind::Datetime, "Down Since", since)
        .done()
}
