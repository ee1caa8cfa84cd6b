//! The parsed definition: preprocessors, rules and the default.

use super::query::Query;
use crate::domain::{interpretation::Interpretation, reserved};
use chrono::{DateTime, Utc};
use serde_json::Value;

const MAX_BYTES: usize = 64 * 1024;
/// Bounds the recursion over a definition.
const MAX_DEPTH: usize = 32;
/// Aliases can expand to many nodes.
const MAX_NODES: usize = 20_000;

/// A definition that is a YAML mapping. Its rules may still be invalid.
#[derive(Debug)]
pub(super) struct Definition(pub(super) Value);

impl Definition {
    /// Parses YAML.
    ///
    /// # Errors
    /// The text is too long, not YAML, or not a mapping.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is not set".to_owned());
        }

        if text.len() > MAX_BYTES {
            return Err(format!("{} bytes; the limit is {MAX_BYTES}", text.len()));
        }

        let budget = serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_total_scalar_bytes: 4 * MAX_BYTES,
        };

        let options = serde_saphyr::options! { budget: budget, with_snippet: false };
        let value: Value = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| error.to_string())?;

        if reserved::has_reserved_name(value.to_string().as_bytes()) {
            return Err(format!(
                "a name begins with the reserved prefix '{}'",
                reserved::PREFIX
            ));
        }

        value
            .is_object()
            .then_some(Self(value))
            .ok_or_else(|| "not a mapping".to_owned())
    }

    /// Runs the preprocessors. Data that they cannot parse is unchanged.
    pub(super) fn preprocess(&self, mut data: Value) -> Value {
        for step in items(self.0.get("preprocess")) {
            match step.get("type").or(Some(step)).and_then(Value::as_str) {
                Some("parse_json") => parse_json(&mut data),
                Some("parse_sns") => {
                    parse_json(&mut data);
                    data.get_mut("Message").map(parse_json);
                    // PagerTree's own definitions expect the message in `data`.
                    let message = data.get("Message").cloned();
                    data.as_object_mut()
                        .zip(message)
                        .map(|(data, message)| data.insert("data".to_owned(), message));
                }
                _ => {}
            }
        }

        data
    }

    /// The first action of the first rule that matches, else of `default`, and its place. A rule with an
    /// error does not match, and the error is reported.
    pub(super) fn action(
        &self,
        values: &Value,
        now: DateTime<Utc>,
        interpretation: &mut Interpretation,
    ) -> Option<(String, &Value)> {
        let query = Query::new(values, now);
        let rules = items(self.0.get("rules")).iter().enumerate();
        for (index, rule) in rules {
            let place = format!("rules[{index}]");
            let matches = rule
                .get("match")
                .ok_or_else(|| "'match' is missing".to_owned())
                .and_then(|condition| query.matches(condition));
            match matches {
                Ok(true) => {
                    let action = items(rule.get("actions")).first()?;
                    return Some((format!("{place}.actions[0]"), action));
                }
                Ok(false) => {}
                Err(error) => interpretation.add_error(place, error),
            }
        }

        let default = self.0.get("default")?;
        let action = items(default.get("actions")).first()?;
        Some(("default.actions[0]".to_owned(), action))
    }
}

pub(super) fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn parse_json(value: &mut Value) {
    let text = value
        .as_str()
        .filter(|text| !reserved::has_reserved_name(text.as_bytes()));
    // A string such as "5" is JSON too, but stays a string.
    let read: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    if let Some(read @ (Value::Object(_) | Value::Array(_))) = read {
        *value = read;
    }
}
