//! The option `custom_definition`, YAML with rules that turn a request into an event.
//!
//! The first rule that matches decides, else `default`, and of its actions the first. Strings in an
//! action are templates. An error costs only the field or the rule in which it occurs, and shows in
//! the log. Source: PagerTree's guides to custom webhooks and routers.

mod document;
mod query;
mod validation;

use super::{
    builder::{EventBuilder, EventId, ignored},
    field::Field,
    template::{self, Templates},
};
use crate::domain::{
    event::{Action, AlertUrgency, DatumKind, Incident, ParsedEvent},
    interpretation::Interpretation,
};
use chrono::{DateTime, Utc};
use document::Definition;
use serde_json::{Map, Value, json};

pub(super) use validation::validate;

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
    let mut interpretation = Interpretation::default();
    let Some((place, action)) = definition.action(templates.values(), now, &mut interpretation)
    else {
        let parsed = ignored("no rule of the custom definition matches", None);
        return with_interpretation(parsed, interpretation);
    };

    let action = render(action, &place, &templates, &mut interpretation).unwrap_or_default();
    interpretation.rule = Some(place);
    let action = Field::new(Some(&action));
    let parsed = match action.get("type").normalized().as_str() {
        "create" => to_event(Action::Create, action).build(),
        "acknowledge" => to_event(Action::Acknowledge, action).build(),
        "resolve" => to_event(Action::Resolve, action).build(),
        _ => {
            let reason = action.get("reason").non_empty();
            let reason =
                reason.unwrap_or_else(|| "ignored by a rule of the custom definition".to_owned());
            ignored(reason, None)
        }
    };
    with_interpretation(parsed, interpretation)
}

fn with_interpretation(mut parsed: ParsedEvent, found: Interpretation) -> ParsedEvent {
    match &mut parsed {
        ParsedEvent::Event(event) => event.interpretation = found,
        ParsedEvent::Ignored { interpretation, .. } => *interpretation = found,
        ParsedEvent::Blocked { .. } => {}
    }
    parsed
}

/// Renders every string in a value. Parts whose templates fail are omitted.
fn render(
    value: &Value,
    place: &str,
    templates: &Templates,
    interpretation: &mut Interpretation,
) -> Option<Value> {
    match value {
        Value::String(text) => match templates.render(text) {
            Ok(rendered) => {
                if template::is_template(text) {
                    interpretation
                        .rendered
                        .push((place.to_owned(), rendered.clone()));
                }
                Some(rendered.into())
            }
            Err(error) => {
                interpretation.add_error(place, error);
                None
            }
        },
        Value::Array(items) => {
            let items = items.iter().enumerate().filter_map(|(index, item)| {
                let place = format!("{place}[{index}]");
                render(item, &place, templates, interpretation)
            });
            Some(items.collect())
        }
        Value::Object(members) => {
            let members = members.iter().filter_map(|(name, value)| {
                let place = format!("{place}.{name}");
                let value = render(value, &place, templates, interpretation)?;
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
pub(super) fn list(field: Field<'_>) -> Vec<String> {
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
