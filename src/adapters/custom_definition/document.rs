//! The definition: what is done to the data before, the rules, and what happens if none matches.

use super::query::Query;
use crate::domain::reserved;
use serde_json::Value;

const MAX_BYTES: usize = 64 * 1024;
/// Far more than a person nests; what follows a definition calls itself as often.
const MAX_DEPTH: usize = 32;
/// Aliases can make much of little.
const MAX_NODES: usize = 20_000;

/// A definition that is YAML; whether its rules make sense shows when they are followed.
pub(super) struct Definition(Value);

impl Definition {
    /// Reads YAML.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!(
                "it has {} bytes and may have {MAX_BYTES}",
                text.len()
            ));
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
            return Err(format!("no name may begin with '{}'", reserved::PREFIX));
        }

        value
            .is_object()
            .then_some(Self(value))
            .ok_or_else(|| "it is no mapping".to_owned())
    }

    /// The data as `preprocess` wants them. What cannot be read stays as it is.
    pub(super) fn preprocess(&self, mut data: Value) -> Value {
        for step in items(self.0.get("preprocess")) {
            match step.get("type").or(Some(step)).and_then(Value::as_str) {
                Some("parse_json") => read_json(&mut data),
                Some("parse_sns") => {
                    read_json(&mut data);
                    data.get_mut("Message").map(read_json);
                    // PagerTree's own definitions look for the message in `data`.
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

    /// The first action of the first rule that matches.
    ///
    /// # Errors
    ///
    /// What is wrong with a rule on the way.
    pub(super) fn action(&self, values: &Value) -> Result<Option<&Value>, String> {
        let query = Query::new(values);
        let mut found = self.0.get("default");
        for rule in items(self.0.get("rules")) {
            let condition = rule.get("match").ok_or("a rule has no 'match'")?;
            if query.matches(condition)? {
                found = Some(rule);
                break;
            }
        }
        Ok(items(found.and_then(|rule| rule.get("actions"))).first())
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn read_json(value: &mut Value) {
    let text = value
        .as_str()
        .filter(|text| !reserved::has_reserved_name(text.as_bytes()));
    // A text like "5" is JSON too, but nobody means that.
    let read: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    if let Some(read @ (Value::Object(_) | Value::Array(_))) = read {
        *value = read;
    }
}
