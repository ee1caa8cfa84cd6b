//! Conditions on recorded requests: the `match` of a verification and of a fault.
//!
//! Nested objects are conditions on their leaves, so that a body needs to have the given members
//! and may have others. `ops` gives other operators than equality, as in lists. Members of a JSON
//! body are compared with their types; parameters and headers, which have none, as text.

mod path_pattern;
mod report;
#[cfg(test)]
mod tests;

pub use report::{MatchReport, join_words};

use super::{
    list::{ExpectedJson, FieldPath, Filter, RawObject, describe},
    recorded_request::{RESPONSE_ATTRIBUTES, RequestKind, SCHEMA},
};
use path_pattern::PathPattern;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What a match may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchScope {
    /// The request only, because it decides what becomes of it.
    Request,
    /// The request and its response.
    Exchange,
}

/// Conditions that all have to hold.
#[derive(Clone, Debug, Default)]
pub struct RequestMatch {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
struct Condition {
    /// What the match calls the attribute.
    name: String,
    path: FieldPath,
    test: ConditionTest,
}

#[derive(Clone, Debug)]
enum ConditionTest {
    /// There is no value, or null.
    Missing,
    /// An object with any members.
    AnyObject,
    Filter(Box<Filter>),
    Path(PathPattern),
    /// A value of a JSON body, of the same type.
    Json {
        expected: ExpectedJson,
        text: String,
    },
}

/// Each is looked up in every request.
const MAX_CONDITIONS: usize = 64;

impl RequestMatch {
    /// Parses a match. `place` is where it stands, for messages.
    ///
    /// # Errors
    /// Every error of the match, each with its place.
    pub fn parse(
        place: &str,
        attributes: &Map<String, Value>,
        scope: MatchScope,
    ) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        let mut leaves = Vec::new();
        for (name, value) in attributes.iter().filter(|(name, _)| *name != "ops") {
            collect_leaves(name.clone(), value, &mut leaves);
        }

        let operators = parse_operators(place, attributes.get("ops"), &leaves, &mut errors);
        if leaves.len() > MAX_CONDITIONS {
            errors.push(format!(
                "'{place}' may have at most {MAX_CONDITIONS} conditions, but has {}",
                leaves.len()
            ));
            return Err(errors);
        }

        let mut conditions = Vec::with_capacity(leaves.len());
        for (name, value) in leaves {
            let operator = operators.get(name.as_str()).copied();
            match Condition::parse(&name, value, operator, scope) {
                Ok(condition) => conditions.push(condition),
                Err(error) => errors.push(format!("'{place}': {error}")),
            }
        }

        if errors.is_empty() {
            Ok(Self { conditions })
        } else {
            Err(errors)
        }
    }

    /// Whether a recorded request satisfies all conditions.
    pub fn holds(&self, record: &RawObject<'_>) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.explain(record).is_none())
    }

    /// Which conditions a recorded request satisfies, and why it does not satisfy the others.
    pub fn report(&self, record: &RawObject<'_>) -> MatchReport {
        let mut report = MatchReport::default();
        for condition in &self.conditions {
            match condition.explain(record) {
                None => report.add_matched(&condition.name),
                Some(reason) => report.add_missed(reason, condition.likeness(record)),
            }
        }
        report
    }

    /// Whether a condition looks at the body.
    pub fn needs_body(&self) -> bool {
        self.conditions
            .iter()
            .any(|condition| matches!(head(&condition.name), "body" | "type"))
    }

    /// Whether webhooks are meant. They match only where a match says so.
    pub fn is_for_webhooks(&self) -> bool {
        let webhook = RequestKind::NAMES[2];
        self.conditions.iter().any(|condition| {
            condition.name == "kind"
                && matches!(&condition.test, ConditionTest::Filter(filter) if filter.wants(webhook))
        })
    }
}

impl Condition {
    fn parse(
        name: &str,
        value: &Value,
        operator: Option<&str>,
        scope: MatchScope,
    ) -> Result<Self, String> {
        let attribute = head(name);
        if scope == MatchScope::Request && RESPONSE_ATTRIBUTES.contains(&attribute) {
            return Err(format!(
                "'{name}' is not known before the request has been answered; match attributes of the request"
            ));
        }

        let name = canonical_name(name);
        let stored = match (stored_name(&name), value) {
            // The whole body: a text is that of a body that is not JSON.
            (stored, Value::Null) => stored,
            (stored, _) if stored.ends_with("body") && operator.is_some() => stored + ".text",
            (stored, Value::String(_)) if stored.ends_with("body") => stored + ".text",
            (stored, _) if stored.ends_with("body") => stored + ".json",
            (stored, _) => stored,
        };
        let path = SCHEMA
            .resolve(&stored)
            .map_err(|error| format!("'{name}' {error}"))?;
        let test = parse_test(&name, &stored, value, operator)?;
        Ok(Self { name, path, test })
    }

    /// Why the record does not satisfy the condition. `None` if it does.
    fn explain(&self, record: &RawObject<'_>) -> Option<String> {
        let value = self.path.find(record);
        let name = &self.name;
        match &self.test {
            ConditionTest::Missing => {
                let is_missing = value.is_none_or(|value| value.get() == "null");
                (!is_missing).then(|| format!("{name} {}, wanted none", describe(value)))
            }
            ConditionTest::AnyObject => {
                let is_object = value.is_some_and(|value| value.get().starts_with('{'));
                (!is_object).then(|| format!("{name} {}, wanted an object", describe(value)))
            }
            ConditionTest::Filter(filter) => filter.explain(name, value),
            ConditionTest::Path(pattern) => {
                let matches = value.is_some_and(|value| pattern.matches(value));
                (!matches).then(|| format!("{name} {}, wanted \"{pattern}\"", describe(value)))
            }
            ConditionTest::Json { expected, text } => {
                let equals = value.is_some_and(|value| expected.equals(value));
                (!equals).then(|| format!("{name} {}, wanted {text}", describe(value)))
            }
        }
    }

    /// How close a record that misses the condition is to it, for the order of near misses.
    fn likeness(&self, record: &RawObject<'_>) -> usize {
        match (&self.test, self.path.find(record)) {
            (ConditionTest::Path(pattern), Some(value)) => pattern.likeness(value),
            _ => 0,
        }
    }
}

fn parse_test(
    name: &str,
    stored: &str,
    value: &Value,
    operator: Option<&str>,
) -> Result<ConditionTest, String> {
    let filter = |operator: &str, value: &str| {
        let filter = Filter::parse(SCHEMA, stored, operator, value)?;
        Ok(ConditionTest::Filter(Box::new(filter)))
    };

    match (operator, value) {
        (Some(operator), value) => filter(operator, &text_of(name, value)?),
        (None, Value::Null) => Ok(ConditionTest::Missing),
        (None, Value::Object(members)) if members.is_empty() => Ok(ConditionTest::AnyObject),
        (None, Value::String(text)) if name == "path" => {
            PathPattern::parse(text).map(ConditionTest::Path)
        }
        (None, Value::String(text)) if name == "method" => {
            filter("equals", &text.to_ascii_uppercase())
        }
        (None, Value::String(text)) if name == "kind" => {
            if RequestKind::NAMES.contains(&text.as_str()) {
                filter("equals", text)
            } else {
                Err(format!(
                    "'kind' must be one of {}, but was '{text}'",
                    RequestKind::NAMES.join(", ")
                ))
            }
        }
        (None, value) if is_in_json_body(stored) => {
            let expected = ExpectedJson::new(value)
                .ok_or_else(|| format!("'{name}' is nested too deeply to be compared"))?;
            let text = super::body::excerpt(&value.to_string());
            Ok(ConditionTest::Json { expected, text })
        }
        (None, value) => filter("equals", &text_of(name, value)?),
    }
}

/// A scalar as text.
fn text_of(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(format!(
            "'{name}' must be a text, a number, true or false, but was {}",
            super::body::excerpt(&value.to_string())
        )),
    }
}

/// Every value that is no object, with its dotted name.
fn collect_leaves<'a>(name: String, value: &'a Value, leaves: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (member, value) in members {
                collect_leaves(format!("{name}.{member}"), value, leaves);
            }
        }
        _ => leaves.push((name, value)),
    }
}

/// The operators of `ops`, by name.
fn parse_operators<'a>(
    place: &str,
    ops: Option<&'a Value>,
    leaves: &[(String, &Value)],
    errors: &mut Vec<String>,
) -> HashMap<&'a str, &'a str> {
    let text = match ops {
        None => return HashMap::new(),
        Some(Value::String(text)) => text,
        Some(other) => {
            errors.push(format!(
                "'{place}.ops' must be pairs like body.name:contains, comma separated, but was {}",
                super::body::excerpt(&other.to_string())
            ));
            return HashMap::new();
        }
    };

    let mut operators = HashMap::new();
    for pair in text.split(',').map(str::trim) {
        match pair.rsplit_once(':') {
            Some((name, operator)) if leaves.iter().any(|(leaf, _)| leaf == name) => {
                operators.insert(name, operator);
            }
            Some((name, _)) => errors.push(format!(
                "'{place}.ops' names '{name}', which must be given as a condition too"
            )),
            None => errors.push(format!(
                "'{place}.ops' must be pairs like body.name:contains, comma separated, but has '{pair}'"
            )),
        }
    }
    operators
}

fn head(name: &str) -> &str {
    name.split_once('.').map_or(name, |(head, _)| head)
}

/// Names of headers are recorded in lower case.
fn canonical_name(name: &str) -> String {
    match name.split_once('.') {
        Some(("headers", header)) => format!("headers.{}", header.to_ascii_lowercase()),
        _ => name.to_owned(),
    }
}

/// The members of a recorded body that are not those of its JSON.
const BODY_MEMBERS: [&str; 3] = ["json", "text", "bytes"];

/// The path of an attribute in a record, for its name in a query or match: the members of a JSON
/// body are named without `json`, as in `body.name`.
pub fn stored_name(name: &str) -> String {
    for body in ["body", "response.body"] {
        let Some(rest) = name.strip_prefix(body) else {
            continue;
        };
        let Some(below) = rest.strip_prefix('.') else {
            continue;
        };
        if !BODY_MEMBERS.contains(&head(below)) {
            return format!("{body}.json.{below}");
        }
    }
    name.to_owned()
}

/// Whether a path leads into the JSON of a body, whose values have types.
fn is_in_json_body(stored: &str) -> bool {
    stored.starts_with("body.json") || stored.starts_with("response.body.json")
}
