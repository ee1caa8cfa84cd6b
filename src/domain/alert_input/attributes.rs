//! The rules of single attributes of alerts. Each error continues a sentence that begins with the
//! attribute's name.

use crate::domain::{
    alert::{AlertSubtype, Status},
    body::{self, Strictness},
    distinct::{AddOutcome, Distinct},
    event::{AdditionalDatum, AlertUrgency},
    ids::IntegrationId,
    limits::{MAX_ADDITIONAL_DATA, MAX_DESCRIPTION_LEN, MAX_TAG_LEN, MAX_TAGS},
    thirdparty_id::stored_form,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A rule that what is stored need not obey.
pub(super) fn unless_stored<T: DeserializeOwned>(
    stored: &Map<String, Value>,
    name: &str,
    rule: impl FnOnce(Value) -> Result<T, String>,
) -> impl FnOnce(Value) -> Result<T, String> {
    move |value| match stored.get(name) {
        Some(stored) if *stored == value => {
            serde_json::from_value(value).map_err(|fault| fault.to_string())
        }
        _ => rule(value),
    }
}

pub(super) fn short_text(value: Value, longest: usize) -> Result<String, String> {
    let text = body::text(value)?;
    let text = text.trim();
    match text.chars().count() {
        0 => Err(format!(
            "must have 1 to {longest} characters, but was empty"
        )),
        n if n > longest => Err(format!("must have 1 to {longest} characters, but had {n}")),
        _ => Ok(text.to_owned()),
    }
}

pub(super) fn thirdparty_id(value: Value) -> Result<String, String> {
    match body::text(value)?.trim() {
        "" => Err("must have at least one character, but was empty".into()),
        text => Ok(stored_form(text).into_owned()),
    }
}

pub(super) fn description(value: Value) -> Result<String, String> {
    body::text_up_to(value, MAX_DESCRIPTION_LEN)
}

pub(super) fn subtype(value: Value) -> Result<AlertSubtype, String> {
    let text = body::text(value)?;
    AlertSubtype::parse(&text).ok_or_else(|| {
        format!(
            "must be alert, broadcast or page, but was '{}'",
            body::excerpt(&text)
        )
    })
}

pub(super) fn status(value: Value) -> Result<Status, String> {
    let text = body::text(value)?;
    Status::parse(&text).ok_or_else(|| {
        format!(
            "must be open, acknowledged, resolved, dropped or archived, but was '{}'",
            body::excerpt(&text)
        )
    })
}

/// Version 3 of PagerTree's API has no silent alerts.
pub(super) fn urgency(value: Value, strictness: Strictness) -> Result<AlertUrgency, String> {
    let text = body::text(value)?;
    let urgency = AlertUrgency::parse(&text)
        .filter(|urgency| strictness == Strictness::Lenient || *urgency != AlertUrgency::Silent);
    urgency.ok_or_else(|| {
        let silent = match strictness {
            Strictness::Lenient => "silent, ",
            Strictness::Strict => "",
        };
        format!(
            "must be {silent}low, medium, high or critical, but was '{}'",
            body::excerpt(&text)
        )
    })
}

pub(super) fn source(value: Value) -> Result<IntegrationId, String> {
    IntegrationId::parse(&body::text(value)?).map_err(|fault| fault.to_string())
}

pub(super) fn tags(value: Value) -> Result<Vec<String>, String> {
    let Value::Array(items) = value else {
        return Err(format!(
            "must be an array of strings, but was {}",
            body::kind_of(&value)
        ));
    };

    let mut tags = Distinct::new(MAX_TAGS);
    for (position, item) in items.into_iter().enumerate() {
        let tag = short_text(item, MAX_TAG_LEN)
            .map_err(|fault| format!("at position {position} {fault}"))?;
        // Checked here and not at the end: a body has room for tens of thousands of tags.
        if tags.add(tag) == AddOutcome::Full {
            return Err(format!("must have at most {MAX_TAGS} different tags"));
        }
    }

    Ok(tags.into_items())
}

pub(super) fn additional_data(
    value: Value,
    strictness: Strictness,
) -> Result<Vec<AdditionalDatum>, String> {
    let later = match strictness {
        Strictness::Lenient => ", phone, datetime",
        Strictness::Strict => "",
    };
    let data: Vec<AdditionalDatum> = serde_json::from_value(value).map_err(|error| {
        format!("must be an array of {{\"type\", \"label\", \"value\"}} with type text, link, img, email, email[]{later}: {error}")
    })?;
    let is_refused =
        |datum: &AdditionalDatum| strictness == Strictness::Strict && !datum.kind.is_published();
    if let Some(position) = data.iter().position(is_refused) {
        return Err(format!(
            "at position {position} must have the type text, link, img, email or email[]"
        ));
    }
    if data.len() > MAX_ADDITIONAL_DATA {
        return Err(format!("must have at most {MAX_ADDITIONAL_DATA} entries"));
    }
    Ok(data)
}
