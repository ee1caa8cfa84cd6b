//! Parses the body of an event: JSON, a form, or several events at once.
//!
//! Vendors often declare the wrong media type, and send invalid JSON. Outside of strict mode the
//! content of a body counts for more than its type.

pub(super) mod form;
mod wrapping;

use super::lenient_json;
use crate::domain::reserved;
use serde_json::{Map, Value};

/// The parameters of a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EventBody {
    /// The parameters of the first event.
    pub(super) members: Map<String, Value>,
    /// The other events of JSON lines or of an array of objects.
    pub(super) further: Vec<Value>,
    /// Why the body is unreadable, if it is.
    pub(super) unreadable: Option<Unreadable>,
}

/// Why a body is unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// A sentence for the log.
    pub(super) reason: String,
    /// Whether the body is plain text, rather than broken JSON.
    pub(super) is_plain_text: bool,
}

impl Unreadable {
    fn malformed(reason: String) -> Self {
        Self {
            reason,
            is_plain_text: false,
        }
    }
}

/// How to parse a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyFormat<'a> {
    pub(super) content_type: &'a str,
    /// Whether invalid JSON is rejected rather than repaired.
    pub(super) is_strict: bool,
    pub(super) batches: Batches,
}

/// How a JSON array of objects, or JSON lines, are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Batches {
    /// Each element is an event.
    Split,
    /// The whole body is one event: the vendor sends lists that belong together, or signs the body.
    Whole,
}

/// The name of a JSON body that is not an object. Source: Rails.
const WHOLE_BODY: &str = "_json";

/// Parses a decoded body.
pub(super) fn parse(text: &str, bytes: &[u8], format: BodyFormat<'_>) -> EventBody {
    let trimmed =
        text.trim_matches(|character: char| character.is_whitespace() || character == '\0');
    let is_declared_as = |kind: &str| {
        format
            .content_type
            .trim_start()
            .to_ascii_lowercase()
            .starts_with(kind)
    };

    if trimmed.is_empty() || is_declared_as("multipart/") || is_declared_as("message/") {
        return EventBody::default();
    }

    if !format.is_strict
        && let Some(inner) = wrapping::unwrap(trimmed)
    {
        // It begins with a bracket and a quote, so this does not repeat itself.
        return parse(&inner, inner.as_bytes(), format);
    }

    let is_declared_as_form = is_declared_as("application/x-www-form-urlencoded");
    let looks_like_json = trimmed.starts_with(['{', '[', '"']);
    if !looks_like_json && (is_declared_as_form || (!format.is_strict && form::is_likely(trimmed)))
    {
        return form::parse(bytes, text, format);
    }

    if reserved::has_reserved_name(trimmed.as_bytes()) {
        let sentence = format!(
            "a name in the body begins with the reserved prefix '{}'",
            reserved::PREFIX
        );
        return unreadable(Unreadable::malformed(sentence));
    }

    match parse_json(trimmed, format.is_strict) {
        Ok(values) => events_of(values, format),
        Err(_) if is_declared_as_form && !looks_like_json => form::parse(bytes, text, format),
        Err(fault) if looks_like_json || is_declared_as("application/json") => {
            unreadable(Unreadable::malformed(format!("not JSON: {fault}")))
        }
        Err(_) => unreadable(Unreadable {
            reason: "the body is neither JSON nor a form".to_owned(),
            is_plain_text: true,
        }),
    }
}

fn unreadable(unreadable: Unreadable) -> EventBody {
    EventBody {
        unreadable: Some(unreadable),
        ..EventBody::default()
    }
}

fn parse_json(text: &str, is_strict: bool) -> Result<Vec<Value>, String> {
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(error) if is_strict => return Err(error.to_string()),
        Err(_) => return lenient_json::parse(text).map_err(|fault| fault.to_string()),
    };

    match value {
        // JSON that was encoded twice.
        Value::String(inner) if !is_strict && inner.trim_start().starts_with(['{', '[']) => {
            if reserved::has_reserved_name(inner.as_bytes()) {
                return Err(format!(
                    "a name begins with the reserved prefix '{}'",
                    reserved::PREFIX
                ));
            }
            lenient_json::parse(&inner).map_err(|fault| fault.to_string())
        }
        value => Ok(vec![value]),
    }
}

/// Consecutive values, or the elements of an array of objects, become an event each.
fn events_of(values: Vec<Value>, format: BodyFormat<'_>) -> EventBody {
    let is_list_of_events = |value: &Value| {
        value
            .as_array()
            .is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
    };

    let splits = format.batches == Batches::Split && !format.is_strict;
    let mut values = match <[Value; 1]>::try_from(values) {
        Ok([list]) if splits && is_list_of_events(&list) => match list {
            Value::Array(items) => items,
            other => vec![other],
        },
        Ok([value]) => vec![value],
        Err(several) if splits => several,
        Err(several) => vec![Value::Array(several)],
    }
    .into_iter();
    let members = match values.next() {
        Some(Value::Object(members)) => members,
        Some(other) => Map::from_iter([(WHOLE_BODY.to_owned(), other)]),
        None => Map::new(),
    };

    EventBody {
        members,
        further: values.collect(),
        unreadable: None,
    }
}

#[cfg(test)]
mod tests;
