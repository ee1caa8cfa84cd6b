//! `webhook`: PagerTree's own format for custom senders, also used for types without an adapter.
//!
//! Names of attributes are case-insensitive. Source: PagerTree's webhook guide and its adapter.

use super::prelude::*;
use crate::{
    adapters::{jmespath, ruby_text::to_ruby_text, urgency},
    domain::event::Incident,
};
use serde_json::Value;

/// Attributes with a meaning. With the option `capture_additional_data`, all others become
/// additional data.
const KNOWN_ATTRIBUTES: [&str; 9] = [
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
/// Members of `meta` that describe an incident.
const INCIDENT_ATTRIBUTES: [&str; 3] = ["incident", "incident_severity", "incident_message"];

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::header("token", "pagertree-token")),
    missing_id: MissingId::Generate,
    ..Vendor::new("webhook", parse)
};

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    match jmespath::unwrap_parameters(request.parameters(), options) {
        Ok(attributes) => {
            let attributes = lowercase_names(Field::new(Some(&attributes)));
            parse_attributes(Field::new(Some(&attributes)), options)
        }
        Err(reason) => ignored(reason, None),
    }
}

/// Converts the names of an object's own members to lower case. If two are equal then, the last one
/// counts.
pub(super) fn lowercase_names(object: Field<'_>) -> Value {
    object
        .members()
        .map(|(name, value)| (name.to_lowercase(), value.value()))
        .collect()
}

/// Parses attributes whose names are in lower case.
pub(super) fn parse_attributes(fields: Field<'_>, options: VendorOptions<'_>) -> ParsedEvent {
    let action = match fields.get("event_type").normalized().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => return no_action("event_type", fields.get("event_type"), fields.get("id")),
    };

    let meta = fields.get("meta");
    if action == Action::Create && meta.is_some() && meta.object().is_none() {
        return ignored("'meta' is not an object", fields.get("id"));
    }

    let mut event = EventBuilder::new(action, fields.get("id"))
        .title(fields.get("title"))
        .description(fields.get("description"))
        .urgency(urgency::first_in(
            &fields.get("urgency").lowercase(),
            &urgency::AUDIBLE,
        ))
        .tags(fields.get("tags").items().map(Field::text))
        .dedup_keys(fields.get("dedup_keys").items().map(Field::text))
        .with(|content| {
            let members = meta
                .object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| !INCIDENT_ATTRIBUTES.contains(&name.as_str()));
            content.meta = members
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            content.incident = incident(meta);
        });

    if options.get("capture_additional_data").is_true() {
        for (name, value) in fields.members() {
            if !KNOWN_ATTRIBUTES.contains(&name) {
                event = event.text(name, to_ruby_text(&value.value()));
            }
        }
    }

    event.build()
}

/// Any `incident` other than null and false makes the alert an incident, even the string "false".
fn incident(meta: Field<'_>) -> Option<Incident> {
    let severity = meta.get("incident_severity").text().trim().to_uppercase();
    let message = meta.get("incident_message").non_empty();
    let incident = meta.get("incident").value();
    (!matches!(incident, Value::Null | Value::Bool(false)))
        .then_some(Incident { severity, message })
}
