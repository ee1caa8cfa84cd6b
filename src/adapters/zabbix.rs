//! `zabbix`: the PagerTree media type of Zabbix. Its test button sends the macros as they are.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event, nothing},
};
use crate::domain::event::{Action, AlertUrgency, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (value, trigger) = (delivery.get("event_value"), delivery.get("trigger_id"));
    let names_trigger =
        trigger.is_filled() && (delivery.is_strict() || !is_placeholder(&trigger.text()));
    let id = if names_trigger {
        trigger
    } else {
        delivery.get("event_id")
    };

    let action = match value.value().as_str() {
        Some("1" | "{EVENT.VALUE}") => Action::Create,
        Some("0") => Action::Resolve,
        _ => return no_event("event_value", value, id),
    };

    let tags = delivery.get("event_tags");
    if action == Action::Create && tags.is_there() && !tags.is_text() {
        return nothing("'event_tags' is no text", id);
    }

    let mapped = Field::new(options.get("map_urgency")).is_yes();
    event(action, id)
        .title(delivery.get("title").text())
        .description(format!("<pre>{}</pre>", delivery.get("description").text()))
        .urgency(severity(delivery.get("event_nseverity").value().as_str()).filter(|_| mapped))
        .tags(tags.text().split(','))
        .datum(DatumKind::Link, "Zabbix URL", page(delivery).into())
        .ulid()
        .done()
}

/// Whether Zabbix had nothing to put in: events of services, discovery and Zabbix itself have no
/// trigger. All of them would share one alert.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text == "*UNKNOWN*" || (text.starts_with('{') && text.ends_with('}'))
}

/// From "not classified" to "disaster".
fn severity(number: Option<&str>) -> Option<AlertUrgency> {
    match number? {
        "0" => Some(AlertUrgency::Silent),
        "1" => Some(AlertUrgency::Low),
        "2" | "3" => Some(AlertUrgency::Medium),
        "4" => Some(AlertUrgency::High),
        "5" => Some(AlertUrgency::Critical),
        _ => None,
    }
}

/// The page of the event if it is of a trigger, else the front page.
fn page(delivery: &Delivery) -> String {
    let text = |name| delivery.get(name).text();
    let front = text("zabbix_url");
    if !delivery.get("event_source").is("0") {
        return front;
    }
    format!(
        "{front}/tr_events.php?triggerid={}&eventid={}",
        text("trigger_id"),
        text("event_id")
    )
}
