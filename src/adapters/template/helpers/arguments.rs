//! The arguments of a helper, converted as JavaScript does.

use super::Steps;
use chrono::{DateTime, Utc};
use handlebars::JsonTruthy as _;
use serde_json::{Number, Value};

/// Steps of a regular expression or of a comparison that are worth one step of a template.
const INNER_STEPS_PER_STEP: usize = 200;

pub(super) struct Arguments<'a> {
    pub(super) values: Vec<&'a Value>,
    pub(super) hash: Vec<(&'a str, &'a Value)>,
    pub(super) steps: &'a Steps,
    pub(super) now: DateTime<Utc>,
}

impl<'a> Arguments<'a> {
    /// The argument at a position; null if there is none.
    pub(super) fn value(&self, position: usize) -> &'a Value {
        self.values.get(position).copied().unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, position: usize) -> String {
        text_of(self.value(position))
    }

    pub(super) fn is_truthy(&self, position: usize) -> bool {
        self.value(position).is_truthy(false)
    }

    /// The items of an array, also of one that is written as JSON.
    pub(super) fn items(&self, position: usize) -> Vec<Value> {
        match self.value(position) {
            Value::Array(items) => items.clone(),
            Value::String(text) if text.trim_start().starts_with('[') => {
                serde_json::from_str(text).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// A number, also one that is written as a string.
    pub(super) fn number(&self, position: usize) -> Result<f64, String> {
        number_of(self.value(position)).ok_or_else(|| {
            format!(
                "argument {} must be a number, but is '{}'",
                position.saturating_add(1),
                self.text(position).chars().take(40).collect::<String>()
            )
        })
    }

    /// A whole number, if there is one.
    pub(super) fn index(&self, position: usize) -> Option<i64> {
        number_of(self.value(position)).map(|number| number.trunc() as i64)
    }

    /// A named argument; null if there is none.
    pub(super) fn named(&self, name: &str) -> &'a Value {
        self.hash
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(&Value::Null, |(_, value)| value)
    }

    /// The argument at a position, or the one that is named `compare`.
    pub(super) fn compared(&self, position: usize) -> &'a Value {
        if self.values.len() > position {
            self.value(position)
        } else {
            self.named("compare")
        }
    }

    /// Pays for regular expressions and comparisons.
    pub(super) fn take_inner(&self, steps: usize) -> Result<(), String> {
        self.steps.take(steps / INNER_STEPS_PER_STEP)
    }
}

/// A value as a text.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

/// A number without a superfluous fraction. Infinity and NaN become null.
pub(super) fn from_number(number: f64) -> Value {
    const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
    if number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER {
        Value::from(number as i64)
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

/// The member at the end of a path of names with dots.
pub(super) fn member<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| match value {
        Value::Array(items) => name
            .parse()
            .ok()
            .and_then(|position: usize| items.get(position)),
        other => other.get(name),
    })
}
