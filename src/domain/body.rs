//! Reading a request's JSON object attribute by attribute, collecting every fault on the way.
//!
//! A rule for one attribute is a function from a JSON value to what it means, or to the sentence
//! that says what would be right. The reader adds the attribute's name to the sentence.

use super::rejection::Rejection;
use serde_json::{Map, Value};

/// How much the server forgives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Whatever the documents do not forbid is accepted.
    #[default]
    Lenient,
    /// Whatever the documents do not allow is refused.
    Strict,
}

/// A JSON object on its way to becoming a domain value. Take each attribute once, in the order of
/// the object, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct BodyReader {
    attributes: Map<String, Value>,
    faults: Vec<String>,
    /// What is told only beside other faults, and before which of them.
    beside: Vec<(usize, String)>,
}

impl BodyReader {
    /// Starts reading.
    pub fn new(attributes: Map<String, Value>) -> Self {
        Self {
            attributes,
            faults: Vec::new(),
            beside: Vec::new(),
        }
    }

    /// Takes an attribute that may be absent.
    pub fn optional<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.attributes.swap_remove(name)?;
        if value.is_null() {
            self.faults.push(format!(
                "'{name}' must not be null; leave it out to keep what is there"
            ));
            return None;
        }
        rule(value)
            .map_err(|fault| self.faults.push(format!("'{name}' {fault}")))
            .ok()
    }

    /// Takes an attribute that may be absent, and may be null: then it is `Some(None)`.
    pub fn nullable<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, String>,
    ) -> Option<Option<T>> {
        if self.attributes.get(name).is_some_and(Value::is_null) {
            self.ignore(&[name]);
            return Some(None);
        }
        self.optional(name, rule).map(Some)
    }

    /// Notes a fault of an attribute. It is not one of its form, so it counts only if there are
    /// others.
    pub fn fault_beside_others(&mut self, fault: String) {
        self.beside.push((self.faults.len(), fault));
    }

    /// Drops attributes that cannot be changed. The strict refuse those that differ from what was
    /// `stored`.
    pub fn keep(&mut self, names: &[&str], stored: &Map<String, Value>, strictness: Strictness) {
        for name in names {
            let (asked, stored) = (self.attributes.swap_remove(*name), stored.get(*name));
            if strictness == Strictness::Strict
                && stored.is_some()
                && asked.is_some()
                && asked.as_ref() != stored
            {
                self.faults
                    .push(format!("'{name}' cannot be changed by an update"));
            }
        }
    }

    /// Takes an attribute that must be there.
    pub fn required<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, String>,
    ) -> Option<T> {
        if !self.attributes.contains_key(name) {
            self.faults
                .push(format!("'{name}' is a required parameter"));
        }
        self.optional(name, rule)
    }

    /// Drops attributes that are the server's own, whatever they hold.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.attributes.swap_remove(*name);
        }
    }

    /// Ends reading: everything still there is unknown, which only the strict mind.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every fault found.
    pub fn finish(mut self, strictness: Strictness) -> Result<(), Rejection> {
        if strictness == Strictness::Strict {
            let mut unknown: Vec<_> = self.attributes.keys().collect();
            unknown.sort();
            self.faults.extend(
                unknown
                    .into_iter()
                    .map(|name| format!("'{name}' is not a known parameter")),
            );
        }

        if self.faults.is_empty() {
            return Ok(());
        }

        for (position, fault) in self.beside.into_iter().rev() {
            self.faults.insert(position, fault);
        }

        Err(Rejection::Invalid(self.faults))
    }
}

/// The kind of a JSON value, for messages.
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

/// A text.
///
/// # Errors
/// The value is of another kind.
pub fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("must be a string, but was {}", kind_of(&other))),
    }
}

/// A boolean; also as the texts that the 2018 documents sent.
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

/// An object, kept as it came.
///
/// # Errors
/// The value is of another kind.
pub fn object(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(format!("must be an object, but was {}", kind_of(&other))),
    }
}

/// The beginning of a text, short enough for a message.
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
