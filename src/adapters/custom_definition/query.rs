//! Queries in the syntax of MongoDB over one value: dotted paths, and conditions on their values.
//!
//! As in MongoDB, a path leads through every item of an array, and a condition holds if it holds for
//! one of the values. Conditions contain queries and queries conditions, so they share one budget of
//! steps.

pub(super) mod clock_operators;
pub(super) mod condition;

use chrono::{DateTime, Utc};
use serde_json::Value;
use std::{borrow::Cow, cell::Cell};

const MAX_STEPS: usize = 1_000_000;
/// Bytes of a name, or skipped items of an array, per step.
const BYTES_PER_STEP: usize = 32;

/// Values that can be queried, and the remaining steps.
pub(super) struct Query<'a> {
    values: &'a Value,
    now: DateTime<Utc>,
    steps: Cell<usize>,
}

impl<'a> Query<'a> {
    pub(super) fn new(values: &'a Value, now: DateTime<Utc>) -> Self {
        Self {
            values,
            now,
            steps: Cell::new(MAX_STEPS),
        }
    }

    /// Whether all members of a query hold.
    ///
    /// # Errors
    /// The query is invalid or takes too many steps.
    pub(super) fn matches(&self, query: &Value) -> Result<bool, String> {
        self.matches_in(self.values, query)
    }

    /// As [`Query::matches`], for another value.
    pub(super) fn matches_in(&self, values: &'a Value, query: &Value) -> Result<bool, String> {
        self.take(1)?;
        let members = query.as_object().ok_or("'match' must be a mapping")?;
        for (name, condition) in members {
            let holds = match name.as_str() {
                "$and" | "$or" | "$nor" => {
                    self.combined(name, condition, |part| self.matches_in(values, part))?
                }
                "$not" => !self.matches_in(values, condition)?,
                "$day" | "$now" | "$timeBetween" => {
                    clock_operators::holds(self, self.now, name, condition)?
                }
                operator if operator.starts_with('$') => {
                    return Err(format!("unknown operator '{operator}'"));
                }
                path => {
                    let path = lowercase_header(path);
                    let mut found = Vec::new();
                    self.follow(values, &path, &mut found)?;
                    condition::holds(self, &found, condition)?
                }
            };

            if !holds {
                return Ok(false);
            }
        }

        Ok(true)
    }

    /// Whether all, some or none of the parts hold, depending on the operator.
    pub(super) fn combined(
        &self,
        operator: &str,
        parts: &Value,
        holds: impl Fn(&Value) -> Result<bool, String>,
    ) -> Result<bool, String> {
        let parts = parts
            .as_array()
            .ok_or_else(|| format!("'{operator}' must be a list"))?;
        let wanted = operator == "$and";
        for part in parts {
            if holds(part)? != wanted {
                return Ok(operator == "$or");
            }
        }
        Ok(operator != "$or")
    }

    /// Collects the values at the end of a path.
    fn follow(
        &self,
        value: &'a Value,
        path: &str,
        found: &mut Vec<&'a Value>,
    ) -> Result<(), String> {
        let (name, rest) = path
            .split_once('.')
            .map_or((path, None), |(name, rest)| (name, Some(rest)));
        let items = value.as_array().map_or(0, Vec::len);

        self.take(1 + (name.len() + items) / BYTES_PER_STEP)?;
        let next = match value {
            Value::Object(members) => members.get(name),
            Value::Array(items) => {
                let at = name
                    .parse()
                    .ok()
                    .and_then(|position: usize| items.get(position));
                if at.is_none() {
                    // As in MongoDB, an array within an array is not searched.
                    for item in items.iter().filter(|item| item.is_object()) {
                        self.follow(item, path, found)?;
                    }
                }
                at
            }
            _ => None,
        };

        match (next, rest) {
            (Some(next), Some(rest)) => self.follow(next, rest, found),
            (Some(next), None) => {
                found.push(next);
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    /// The remaining steps.
    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.steps.get()
    }

    /// Takes steps for work on a number of bytes.
    pub(super) fn take_bytes(&self, bytes: usize) -> Result<(), String> {
        self.take(bytes / BYTES_PER_STEP)
    }

    /// Takes steps.
    pub(super) fn take(&self, wanted: usize) -> Result<(), String> {
        let left = self
            .steps
            .get()
            .checked_sub(wanted)
            .ok_or("the rules take too many steps")?;
        self.steps.set(left);
        Ok(())
    }
}

/// Names of headers are case-insensitive.
fn lowercase_header(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("log.headers.") {
        Some(name) => format!("log.headers.{}", name.to_lowercase()).into(),
        None => path.into(),
    }
}
