//! Reads a JSON object attribute by attribute and collects every error.
//!
//! The rule of an attribute is a function from a JSON value to a domain value, or to a message that
//! says what would be valid. The reader prepends the attribute's name.

use super::rejection::Rejection;
use serde_json::{Map, Value};

/// How strictly requests are validated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Accepts what PagerTree's documentation does not forbid.
    #[default]
    Lenient,
    /// Refuses what PagerTree's documentation does not allow.
    Strict,
}

/// Reads the attributes of one object: take each once, in the object's order, then call
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct AttributeReader {
    attributes: Map<String, Value>,
    errors: Vec<String>,
    /// Errors reported only together with others, each with its position among them.
    secondary: Vec<(usize, String)>,
}

impl AttributeReader {
    /// Creates a reader.
    pub fn new(attributes: Map<String, Value>) -> Self {
        Self {
            attributes,
            errors: Vec::new(),
            secondary: Vec::new(),
        }
    }

    /// Takes an optional attribute. Null is an error.
    pub fn optional<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.attributes.swap_remove(name)?;
        if value.is_null() {
            self.errors.push(format!(
                "'{name}' must not be null; leave it out to keep what is there"
            ));
            return None;
        }
        rule(value)
            .map_err(|error| self.errors.push(format!("'{name}' {error}")))
            .ok()
    }

    /// Whether the attribute is there, and null.
    pub fn is_null(&self, name: &str) -> bool {
        self.attributes.get(name).is_some_and(Value::is_null)
    }

    /// Takes an optional attribute that may be null, which gives `Some(None)`.
    pub fn nullable<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, String>,
    ) -> Option<Option<T>> {
        if self.is_null(name) {
            self.ignore(&[name]);
            return Some(None);
        }
        self.optional(name, rule).map(Some)
    }

    /// Records an error that is reported only if the request has others as well.
    pub fn add_secondary_error(&mut self, error: String) {
        self.secondary.push((self.errors.len(), error));
    }

    /// Drops attributes that cannot change. Strict mode refuses values that differ from `stored`.
    pub fn keep(&mut self, names: &[&str], stored: &Map<String, Value>, strictness: Strictness) {
        for name in names {
            let (asked, stored) = (self.attributes.swap_remove(*name), stored.get(*name));
            if strictness == Strictness::Strict
                && stored.is_some()
                && asked.is_some()
                && asked.as_ref() != stored
            {
                self.errors
                    .push(format!("'{name}' cannot be changed by an update"));
            }
        }
    }

    /// Takes a required attribute.
    pub fn required<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, String>,
    ) -> Option<T> {
        if !self.attributes.contains_key(name) {
            self.errors
                .push(format!("'{name}' is a required parameter"));
        }
        self.optional(name, rule)
    }

    /// Drops attributes that only the server sets, whatever their values.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.attributes.swap_remove(*name);
        }
    }

    /// Finishes reading. The attributes that remain are unknown; strict mode refuses them.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error.
    pub fn finish(mut self, strictness: Strictness) -> Result<(), Rejection> {
        if strictness == Strictness::Strict {
            let mut unknown: Vec<_> = self.attributes.keys().collect();
            unknown.sort();
            self.errors.extend(
                unknown
                    .into_iter()
                    .map(|name| format!("'{name}' is not a known parameter")),
            );
        }

        if self.errors.is_empty() {
            return Ok(());
        }

        for (position, error) in self.secondary.into_iter().rev() {
            self.errors.insert(position, error);
        }

        Err(Rejection::Invalid(self.errors))
    }
}

/// The type of a JSON value, for messages.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A string.
///
/// # Errors
/// The value has another type.
pub fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("must be a string, but was {}", kind_of(&other))),
    }
}

/// A string of at most `longest` characters.
///
/// # Errors
/// The value has another type, or is longer.
pub fn text_up_to(value: Value, longest: usize) -> Result<String, String> {
    let text = text(value)?;
    match text.chars().count() {
        length if length > longest => Err(format!(
            "must have at most {longest} characters, but had {length}"
        )),
        _ => Ok(text),
    }
}

/// A boolean, or `"true"` and `"false"` as in the 2018 documentation.
///
/// # Errors
/// The value is neither.
pub fn boolean(value: Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(flag),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        Value::String(text) => Err(format!(
            "must be true or false, but was '{}'",
            excerpt(&text)
        )),
        other => Err(format!(
            "must be true or false, but was {}",
            kind_of(&other)
        )),
    }
}

/// An object.
///
/// # Errors
/// The value has another type.
pub fn object(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(format!("must be an object, but was {}", kind_of(&other))),
    }
}

/// Shortens a text for a message.
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().nth(LONGEST).is_none() {
        return text.to_owned();
    }
    text.chars()
        .take(LONGEST)
        .chain(std::iter::once('…'))
        .collect()
}
