//! `webhook`: PagerTree's own format, for whoever writes a sender; also read for types without an
//! adapter.
//!
//! Names of attributes are taken in any case. Source: PagerTree's webhook guide and its adapter.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event, nothing},
    secret,
    shown::shown,
    urgency,
    wrapper::unwrapped,
};
use crate::domain::event::{Action, DatumKind, Incident, Reading};
use serde_json::{Map, Value};

/// What has a meaning; anything else is more to show, if the integration wants that.
const KNOWN: [&str; 9] = [
    "event_type",
    "id",
    "title",
    "description",
    "urgency",
    "tags",
    "meta",
    "dedup_keys",
    "pagertree_integration_id",
];
const INCIDENT: [&str; 3] = ["incident", "incident_severity", "incident_message"];

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    if let Some(blocked) = secret::header(delivery, options, "token", "pagertree-token") {
        return blocked;
    }
    let sent = match unwrapped(delivery.parameters(), options) {
        Ok(sent) => sent,
        Err(reason) => return nothing(reason, Field::new(None)),
    };
    said(
        Field::new(Some(&named_in_lower_case(Field::new(Some(&sent))))),
        options,
    )
}

/// The same object, the names of its own members in lower case. Of two that are the same then the
/// last counts.
pub(super) fn named_in_lower_case(object: Field<'_>) -> Value {
    object
        .members()
        .map(|(name, value)| (name.to_lowercase(), value.value()))
        .collect()
}

/// What attributes say.
pub(super) fn said(fields: Field<'_>, options: &Map<String, Value>) -> Reading {
    let action = match fields.get("event_type").word().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => return no_event("event_type", fields.get("event_type"), fields.get("id")),
    };

    let meta = fields.get("meta");
    if action == Action::Create && meta.is_there() && meta.object().is_none() {
        return nothing("'meta' is no object", fields.get("id"));
    }

    let mut reading = event(action, fields.get("id"))
        .title(fields.get("title").text())
        .describe(fields.get("description"))
        .urgency(urgency::first_in(
            &fields.get("urgency").lower(),
            &urgency::CALLING,
        ))
        .tags(fields.get("tags").items().map(Field::text))
        .dedup_keys(fields.get("dedup_keys").items().map(Field::text))
        .with(|content| {
            let members = meta
                .object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| !INCIDENT.contains(&name.as_str()));
            content.meta = members
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            content.incident = incident(meta);
        });

    if Field::new(options.get("capture_additional_data")).is_yes() {
        for (name, value) in fields.members().filter(|(name, _)| !KNOWN.contains(name)) {
            reading = reading.datum(DatumKind::Text, name, shown(&value.value()).into());
        }
    }

    reading.done()
}

/// Anything but null and false makes it one, also the text "false".
fn incident(meta: Field<'_>) -> Option<Incident> {
    let severity = meta.get("incident_severity").text().trim().to_uppercase();
    let message = meta.get("incident_message").filled();
    let incident = meta.get("incident").value();
    (!matches!(incident, Value::Null | Value::Bool(false)))
        .then_some(Incident { severity, message })
}
