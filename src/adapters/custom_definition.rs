//! The option `custom_definition`, YAML with rules that turn a request into an event.
//!
//! The first rule that matches decides, else `default`, and of its actions the first. Strings in an
//! action are templates. An error costs only the field or the rule in which it occurs, and leaves a
//! warning in the log. Source: PagerTree's guides to custom webhooks and routers.

mod clock_operators;
mod condition;
mod document;
mod query;
mod validation;

use super::{
    builder::{EventBuilder, EventId, ignored},
    field::Field,
    template::Templates,
};
use crate::domain::event::{Action, AlertUrgency, DatumKind, Incident, ParsedEvent};
use chrono::{DateTime, Utc};
use document::Definition;
use serde_json::{Map, Value, json};

pub(super) use validation::validate;

/// Warnings that a log shows.
const MAX_WARNINGS: usize = 10;

/// Applies a definition to a log, the request as rules and templates see it. `to_event` turns the
/// chosen action into an event, after its templates have been rendered.
pub(super) fn apply(
    definition: &str,
    mut log: Value,
    now: DateTime<Utc>,
    to_event: impl FnOnce(Action, Field<'_>) -> EventBuilder,
) -> ParsedEvent {
    let definition = match Definition::parse(definition) {
        Ok(definition) => definition,
        Err(reason) => {
            let reason = format!("the option 'custom_definition' is invalid: {reason}");
            return ignored(reason, None);
        }
    };

    if let Some(data) = log.get_mut("data") {
        *data = definition.preprocess(data.take());
    }

    let templates = Templates::new(json!({"always": true, "log": log}), now);
    let mut warnings = Warnings::default();
    let Some((place, action)) = definition.action(templates.values(), now, &mut warnings) else {
        return ignored(
            warnings.append_to("no rule of the custom definition matches"),
            None,
        );
    };

    let action = render(action, &place, &templates, &mut warnings).unwrap_or_default();
    let action = Field::new(Some(&action));
    let kind = match action.get("type").normalized().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => {
            let reason = action.get("reason").non_empty();
            let reason =
                reason.unwrap_or_else(|| "ignored by a rule of the custom definition".to_owned());
            return ignored(warnings.append_to(&reason), None);
        }
    };

    to_event(kind, action)
        .warnings(warnings.into_messages())
        .build()
}

/// Errors in parts of a definition, which do not affect the others.
#[derive(Debug, Default)]
struct Warnings {
    messages: Vec<String>,
    omitted: usize,
}

impl Warnings {
    fn add(&mut self, place: &str, error: &str) {
        if self.messages.len() < MAX_WARNINGS {
            self.messages.push(format!("{place}: {error}"));
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    fn into_messages(mut self) -> Vec<String> {
        if self.omitted > 0 {
            self.messages.push(format!("{} more errors", self.omitted));
        }
        self.messages
    }

    /// The reason, followed by the warnings.
    fn append_to(self, reason: &str) -> String {
        let mut parts = vec![reason.to_owned()];
        parts.extend(self.into_messages());
        parts.join("; ")
    }
}

/// Renders every string in a value. Parts whose templates fail are omitted.
fn render(
    value: &Value,
    place: &str,
    templates: &Templates,
    warnings: &mut Warnings,
) -> Option<Value> {
    match value {
        Value::String(text) => match templates.render(text) {
            Ok(text) => Some(text.into()),
            Err(error) => {
                warnings.add(place, &error);
                None
            }
        },
        Value::Array(items) => {
            let items = items.iter().enumerate().filter_map(|(index, item)| {
                render(item, &format!("{place}[{index}]"), templates, warnings)
            });
            Some(items.collect())
        }
        Value::Object(members) => {
            let members = members.iter().filter_map(|(name, value)| {
                let value = render(value, &format!("{place}.{name}"), templates, warnings)?;
                Some((name.clone(), value))
            });
            Some(Value::Object(members.collect::<Map<_, _>>()))
        }
        other => Some(other.clone()),
    }
}

/// Builds the event of an action, except for its title and description.
pub(super) fn build_event(kind: Action, action: Field<'_>, id: impl Into<EventId>) -> EventBuilder {
    let text = |name| action.get(name).text();
    let incident = action.get("incident");
    let event = EventBuilder::new(kind, id)
        .urgency(AlertUrgency::parse(&action.get("urgency").normalized()))
        .tags(list(action.get("tags")))
        .dedup_keys(list(action.get("dedup_keys")))
        .with(|content| {
            content.meta = action.get("meta").object().cloned().unwrap_or_default();
            content.incident = incident
                .bool_or(incident.non_empty().is_some())
                .then(|| Incident {
                    severity: text("incident_severity").trim().to_uppercase(),
                    message: action.get("incident_message").non_empty(),
                });
        });

    action
        .get("additional_data")
        .items()
        .fold(event, |event, datum| {
            let label = datum
                .get("label")
                .non_empty()
                .unwrap_or_else(|| "Untitled".to_owned());
            match parse_format(&datum.get("format").text()) {
                Some(kind) => event.datum(kind, &label, datum.get("value").value()),
                None => event,
            }
        })
}

/// The items of an array, or the parts of a text between commas.
fn list(field: Field<'_>) -> Vec<String> {
    let split = |item: Field<'_>| {
        item.text()
            .split(',')
            .map(|part| part.trim().to_owned())
            .collect::<Vec<_>>()
    };
    if field.is_text() {
        split(field)
    } else {
        field.items().map(Field::text).collect()
    }
}

fn parse_format(format: &str) -> Option<DatumKind> {
    match format {
        "text" => Some(DatumKind::Text),
        "link" => Some(DatumKind::Link),
        "img" => Some(DatumKind::Img),
        "email" => Some(DatumKind::Email),
        "phone" => Some(DatumKind::Phone),
        "datetime" => Some(DatumKind::Datetime),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
