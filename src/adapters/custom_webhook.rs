//! `custom_webhook`: whatever anybody sends, by the rules in the option `custom_definition`, which
//! is YAML.
//!
//! The first rule that matches decides, or else `default`; of its actions the first counts. Texts
//! in an action are templates. What is wrong with a definition is nobody's event, with the reason.
//! Source: PagerTree's guide to custom webhooks.

mod condition;
mod definition;
mod query;

use super::{
    Delivery,
    field::Field,
    reading::{Builder, event, nothing},
    template::Templates,
};
use crate::domain::event::{Action, AlertUrgency, DatumKind, Incident, Reading};
use definition::Definition;
use serde_json::{Map, Value, json};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let definition = Field::new(options.get("custom_definition")).text();
    followed(&definition, log(delivery), |kind, action| {
        let description = action.get("description").text().into();
        said(kind, action, action.get("thirdparty_id"))
            .title(
                action
                    .get("title")
                    .filled()
                    .unwrap_or_else(|| "Untitled Alert".to_owned()),
            )
            .describe(Field::new(Some(&description)))
            .done()
    })
}

/// What becomes of a log by a definition; `reading` reads the action that is asked for, once its
/// templates are filled in.
pub(super) fn followed(
    definition: &str,
    log: Value,
    reading: impl FnOnce(Action, Field<'_>) -> Reading,
) -> Reading {
    let reason = match decide(definition, log, reading) {
        Ok(reading) => return reading,
        Err(reason) => reason,
    };
    nothing(
        format!("the option 'custom_definition' cannot be followed: {reason}"),
        Field::new(None),
    )
}

fn decide(
    definition: &str,
    mut log: Value,
    reading: impl FnOnce(Action, Field<'_>) -> Reading,
) -> Result<Reading, String> {
    if definition.is_empty() {
        return Err("it is missing".to_owned());
    }

    let definition = Definition::parse(definition)?;
    if let Some(data) = log.get_mut("data") {
        *data = definition.preprocess(data.take());
    }

    let templates = Templates::over(json!({"always": true, "log": log}));
    let Some(action) = definition.action(templates.values())? else {
        return Ok(nothing(
            "no rule of the custom definition matches",
            Field::new(None),
        ));
    };

    let action = filled(action, &templates)?;
    let action = Field::new(Some(&action));
    let kind = match action.get("type").word().as_str() {
        "create" => Action::Create,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => return Ok(ignored(action)),
    };

    Ok(reading(kind, action))
}

fn ignored(action: Field<'_>) -> Reading {
    let reason = action.get("reason").filled();
    nothing(
        reason.unwrap_or_else(|| "a rule of the custom definition ignores it".to_owned()),
        Field::new(None),
    )
}

/// What rules and templates see of a request.
fn log(delivery: &Delivery) -> Value {
    let (parts, parameters) = (delivery.parts(), delivery.parameters());
    let body = delivery.text();
    let sent = parameters
        .as_object()
        .is_some_and(|parameters| !parameters.is_empty());
    let data = if sent {
        parameters.clone()
    } else {
        body.as_ref().into()
    };

    let named = |(name, value): &(String, String)| {
        [
            (name.clone(), value.as_str().into()),
            (usual_case(name), value.as_str().into()),
        ]
    };

    let headers: Map<String, Value> = parts.headers.iter().flat_map(named).collect();
    json!({
        "data": data, "params": parameters, "headers": headers, "body": body, "method": parts.method,
    })
}

/// `content-type` as people write it: `Content-Type`.
fn usual_case(name: &str) -> String {
    let words = name.split('-').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}

/// The same value with every text in it filled in.
fn filled(value: &Value, templates: &Templates) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => templates
            .fill(text)
            .map_err(|fault| format!("the template '{text}' is wrong: {fault}"))?
            .into(),
        Value::Array(items) => items
            .iter()
            .map(|item| filled(item, templates))
            .collect::<Result<_, _>>()?,
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| Ok((name.clone(), filled(value, templates)?)));
            Value::Object(members.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

/// What an action says, but for its title and description.
pub(super) fn said(kind: Action, action: Field<'_>, id: Field<'_>) -> Builder {
    let text = |name| action.get(name).text();
    let incident = action.get("incident");
    let reading = event(kind, id)
        .urgency(AlertUrgency::parse(&action.get("urgency").word()))
        .tags(list(action.get("tags")))
        .dedup_keys(list(action.get("dedup_keys")))
        .with(|content| {
            content.meta = action.get("meta").object().cloned().unwrap_or_default();
            content.incident = incident
                .flag(incident.filled().is_some())
                .then(|| Incident {
                    severity: text("incident_severity").trim().to_uppercase(),
                    message: action.get("incident_message").filled(),
                });
        });

    action
        .get("additional_data")
        .items()
        .fold(reading, |reading, datum| {
            let label = datum
                .get("label")
                .filled()
                .unwrap_or_else(|| "Untitled".to_owned());
            match kind_of_datum(&datum.get("format").text()) {
                Some(kind) => reading.datum(kind, &label, datum.get("value").value()),
                None => reading,
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

fn kind_of_datum(format: &str) -> Option<DatumKind> {
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
