//! Queries as MongoDB writes them, over one value: paths with dots, and conditions for what stands
//! there.
//!
//! As there, a path leads through every item of an array, and a condition holds if it holds for one
//! of the values at its end. A query may take so many steps; where it would take more it fails.

use super::condition;
use serde_json::Value;
use std::cell::Cell;

const MAX_STEPS: usize = 1_000_000;
/// How many bytes of a name, or items of an array that are passed over, are worth one step.
const BYTES_PER_STEP: usize = 32;

/// Something that can be asked for by queries.
pub(super) struct Query<'a> {
    values: &'a Value,
    steps: Cell<usize>,
}

impl<'a> Query<'a> {
    pub(super) fn new(values: &'a Value) -> Self {
        Self {
            values,
            steps: Cell::new(MAX_STEPS),
        }
    }

    /// Whether all members of the query hold.
    ///
    /// # Errors
    ///
    /// What is wrong with the query.
    pub(super) fn matches(&self, query: &Value) -> Result<bool, String> {
        self.matches_in(self.values, query)
    }

    /// The same, asked of another value.
    pub(super) fn matches_in(&self, values: &'a Value, query: &Value) -> Result<bool, String> {
        self.take(1)?;
        let members = query.as_object().ok_or("a 'match' must be a mapping")?;
        for (name, condition) in members {
            let holds = match name.as_str() {
                "$and" | "$or" | "$nor" => {
                    self.combined(name, condition, |part| self.matches_in(values, part))?
                }
                "$not" => !self.matches_in(values, condition)?,
                operator if operator.starts_with('$') => {
                    return Err(format!("the operator '{operator}' is not known"));
                }
                path => {
                    let mut found = Vec::new();
                    self.follow(values, path, &mut found)?;
                    condition::holds(self, &found, condition)?
                }
            };

            if !holds {
                return Ok(false);
            }
        }

        Ok(true)
    }

    /// Whether all, one or none of the parts hold.
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

    /// Lays down every value at the end of the path.
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
                    // An array in an array is not entered, as in MongoDB.
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

    /// How many steps are left.
    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.steps.get()
    }

    /// Takes steps for so many bytes of work.
    pub(super) fn take_bytes(&self, bytes: usize) -> Result<(), String> {
        self.take(bytes / BYTES_PER_STEP)
    }

    /// Takes steps.
    pub(super) fn take(&self, wanted: usize) -> Result<(), String> {
        let left = self
            .steps
            .get()
            .checked_sub(wanted)
            .ok_or("its rules take too many steps")?;
        self.steps.set(left);
        Ok(())
    }
}
