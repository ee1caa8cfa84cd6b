//! `sixty_six_uptime` and `hydrozen`, which are the same software: monitors, heartbeats and what is
//! about to expire. Only the number 1 says that something is well again.

use super::{
    Delivery,
    compare::is_same,
    field::Field,
    reading::{event, no_event},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value, json};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let kind = delivery.get("type");
    let [name, target, zone] = ["name", "target", "timezone"].map(|name| delivery.get(name).text());
    let until = |attribute: &str| format!("{} {zone}", delivery.get(attribute).text());
    let is_well = is_same(&delivery.get("is_ok").value(), &json!(1));
    let happened = if is_well {
        Action::Resolve
    } else {
        Action::Create
    };

    let expires = |what: &str, until: &str| {
        let title = format!("{what} monitor {name} is expiring soon");
        let description = format!("{what} monitor {name} ({target}) is expiring soon ({until})");
        (title, description)
    };

    let (action, number, (title, description), last) = match kind.text().as_str() {
        word @ ("website" | "ping" | "port") => {
            let what = capitalised(word);
            let words = (
                format!("{what} monitor {name} is DOWN"),
                format!("{what} monitor {name} ({target}) is DOWN"),
            );
            (
                happened,
                "monitor_id",
                words,
                Some(("port", delivery.get("port").value())),
            )
        }
        "heartbeat" => {
            let words = format!("Heartbeat monitor {name} has not checked in");
            (happened, "heartbeat_id", (words.clone(), words), None)
        }
        "domain-expiry" => {
            let until = until("whois_end_datetime");
            let words = expires("Domain", &until);
            (
                Action::Create,
                "domain_name_id",
                words,
                Some(("WHOIS End DateTime", until.into())),
            )
        }
        "ssl-expiry" => {
            let until = until("ssl_end_datetime");
            let words = expires("SSL Certificate", &until);
            (
                Action::Create,
                "domain_name_id",
                words,
                Some(("SSL End DateTime", until.into())),
            )
        }
        _ => return no_event("type", kind, Field::new(None)),
    };

    let id = Value::from(format!("{}-{}", kind.text(), delivery.get(number).text()));
    let mut reading = event(action, Field::new(Some(&id)))
        .title(title)
        .description(description)
        .link("URL", delivery.get("url"))
        .text("Name", delivery.get("name"))
        .text("Type", kind);

    if let Some((label, value)) = last {
        reading =
            reading
                .link("Target", delivery.get("target"))
                .datum(DatumKind::Text, label, value);
    }

    reading.done()
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}
