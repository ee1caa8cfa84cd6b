//! The option `custom_definition`, YAML with rules that turn a request into an event.
//!
//! The first rule that matches decides, else `default`, and of its actions the first. Strings in an
//! action are templates. A faulty definition ignores the event, and the reason names the fault.
//! Source: PagerTree's guide to custom webhooks.

mod condition;
mod document;
mod query;

use super::{
    builder::{EventBuilder, EventId, ignored},
    field::Field,
    template::Templates,
};
use crate::domain::event::{Action, AlertUrgency, DatumKind, Incident, ParsedEvent};
use document::Definition;
use serde_json::{Value, json};

/// Applies a definition to a log, the request as rules and templates see it. `to_event` turns the
/// chosen action into an event, after its templates have been rendered.
pub(super) fn apply(
    definition: &str,
    log: Value,
    to_event: impl FnOnce(Action, Field<'_>) -> ParsedEvent,
) -> ParsedEvent {
    let reason = match evaluate(definition, log, to_event) {
        Ok(parsed) => return parsed,
        Err(reason) => reason,
    };
    ignored(
        format!("the option 'custom_definition' is faulty: {reason}"),
        None,
    )
}

fn evaluate(
    definition: &str,
    mut log: Value,
    to_event: impl FnOnce(Action, Field<'_>) -> ParsedEvent,
) -> Result<ParsedEvent, String> {
    if definition.is_empty() {
        return Err("it is not set".to_owned());
    }

    let definition = Definition::parse(definition)?;
    if let Some(data) = log.get_mut("data") {
        *data = definition.preprocess(data.take());
    }

    let templates = Templates::new(json!({"always": true, "log": log}));
    let Some(action) = definition.action(templates.values())? else {
        return Ok(ignored("no rule of the custom definition matches", None));
    };

    let action = render(action, &templates)?;
    let action = Field::new(Some(&action));
    let kind = match action.get("type").normalized().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => return Ok(ignored_by_rule(action)),
    };

    Ok(to_event(kind, action))
}

fn ignored_by_rule(action: Field<'_>) -> ParsedEvent {
    let reason = action.get("reason").non_empty();
    ignored(
        reason.unwrap_or_else(|| "a rule of the custom definition ignores it".to_owned()),
        None,
    )
}

/// Renders every string in a value.
fn render(value: &Value, templates: &Templates) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => templates
            .render(text)
            .map_err(|fault| format!("the template '{text}' is wrong: {fault}"))?
            .into(),
        Value::Array(items) => items
            .iter()
            .map(|item| render(item, templates))
            .collect::<Result<_, _>>()?,
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| Ok((name.clone(), render(value, templates)?)));
            Value::Object(members.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
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
