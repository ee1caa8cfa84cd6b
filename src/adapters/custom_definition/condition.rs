//! Conditions of queries: a value to be equal to, or operators that all must hold.

use super::query::Query;
use crate::adapters::compare::{compared, order};
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// Far more than a person writes.
const MAX_PATTERN_BYTES: usize = 1024;
/// What compiling one is worth, in steps, and each of its bytes, since a class of characters may
/// become thousands of states.
const STEPS_TO_COMPILE: usize = 5_000;
const STEPS_PER_PATTERN_BYTE: usize = 50;
/// How many bytes a regular expression may become, and how many steps four bytes of a text are
/// worth that it is looked for in: what is large may have to look at each byte with each of its
/// states.
const SIZES: [(usize, usize); 2] = [(16 * 1024, 1), (64 * 1024, 16)];

/// Whether the condition holds for what was found at the end of a path.
///
/// # Errors
///
/// What is wrong with the condition.
pub(super) fn holds<'a>(
    query: &Query<'a>,
    found: &[&'a Value],
    condition: &Value,
) -> Result<bool, String> {
    match operators(condition) {
        None => equals(query, found, condition),
        Some(operators) => {
            for (operator, operand) in operators {
                if !operator_holds(query, found, operator, operand, operators)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    }
}

/// A mapping whose names are operators; any other is a value to be equal to.
fn operators(condition: &Value) -> Option<&Map<String, Value>> {
    condition.as_object().filter(|members| {
        members
            .keys()
            .next()
            .is_some_and(|name| name.starts_with('$'))
    })
}

fn operator_holds<'a>(
    query: &Query<'a>,
    found: &[&'a Value],
    operator: &str,
    operand: &Value,
    all: &Map<String, Value>,
) -> Result<bool, String> {
    let list = || {
        operand
            .as_array()
            .ok_or_else(|| format!("'{operator}' must be a list"))
    };

    query.take(1 + found.len())?;
    match operator {
        "$eq" => equals(query, found, operand),
        "$ne" => Ok(!equals(query, found, operand)?),
        "$in" => any_of(list()?, |value| equals(query, found, value)),
        "$nin" => Ok(!any_of(list()?, |value| equals(query, found, value))?),
        "$all" => Ok(!any_of(list()?, |value| Ok(!equals(query, found, value)?))?),
        "$gt" => is_ordered(query, found, operand, &[Ordering::Greater]),
        "$gte" => is_ordered(query, found, operand, &[Ordering::Greater, Ordering::Equal]),
        "$lt" => is_ordered(query, found, operand, &[Ordering::Less]),
        "$lte" => is_ordered(query, found, operand, &[Ordering::Less, Ordering::Equal]),
        "$exists" => Ok(found.is_empty() != operand.as_bool().unwrap_or(true)),
        "$regex" => {
            let expression = compiled(query, operand, all.get("$options"))?;
            any_candidate(query, found, |value| {
                matches_text(query, &expression, value)
            })
        }
        // Belongs to `$regex`.
        "$options" => Ok(true),
        "$not" => Ok(!holds(query, found, operand)?),
        "$and" | "$or" | "$nor" => {
            query.combined(operator, operand, |part| holds(query, found, part))
        }
        "$mod" => is_multiple(query, found, list()?),
        "$size" => Ok(found
            .iter()
            .any(|value| value.as_array().map(Vec::len) == as_length(operand))),
        "$type" => Ok(found
            .iter()
            .any(|value| operand.as_str() == Some(type_of(value)))),
        "$elemMatch" => {
            let items = found.iter().filter_map(|value| value.as_array()).flatten();
            any_of(items, |item| match operators(operand) {
                Some(_) => holds(query, &[item], operand),
                None => query.matches_in(item, operand),
            })
        }
        other => Err(format!("the operator '{other}' is not known")),
    }
}

fn any_of<T>(
    values: impl IntoIterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool, String>,
) -> Result<bool, String> {
    for value in values {
        if holds(value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether it holds for a value, or for an item of one that is an array.
fn any_candidate<'a>(
    query: &Query<'a>,
    found: &[&'a Value],
    holds: impl Fn(&'a Value) -> Result<bool, String>,
) -> Result<bool, String> {
    any_of(found, |value| {
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        query.take(1 + items.len())?;
        Ok(holds(value)? || any_of(items, &holds)?)
    })
}

/// Null is also what is nowhere.
fn equals<'a>(query: &Query<'a>, found: &[&'a Value], expected: &Value) -> Result<bool, String> {
    if found.is_empty() {
        return Ok(expected.is_null());
    }
    any_candidate(query, found, |value| {
        let (is_equal, work) = compared(value, expected);
        query.take_bytes(work)?;
        Ok(is_equal)
    })
}

/// Numbers have an order, and texts; a number and a text have none.
fn is_ordered<'a>(
    query: &Query<'a>,
    found: &[&'a Value],
    operand: &Value,
    wanted: &[Ordering],
) -> Result<bool, String> {
    // Texts are alike at the beginning at most as far as the operand reaches.
    let length = operand.as_str().map_or(0, str::len);
    any_candidate(query, found, |value| {
        query.take_bytes(value.as_str().map_or(0, str::len).min(length))?;
        Ok(order(value, operand).is_some_and(|order| wanted.contains(&order)))
    })
}

struct Expression {
    regex: Regex,
    steps_of_four_bytes: usize,
}

fn compiled(
    query: &Query<'_>,
    operand: &Value,
    options: Option<&Value>,
) -> Result<Expression, String> {
    let pattern = operand.as_str().ok_or("'$regex' must be a text")?;
    let options = options.and_then(Value::as_str).unwrap_or_default();
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!(
            "'$regex' has {} bytes and may have {MAX_PATTERN_BYTES}",
            pattern.len()
        ));
    }

    query.take(STEPS_TO_COMPILE + pattern.len() * STEPS_PER_PATTERN_BYTE)?;
    let build = |size| {
        RegexBuilder::new(pattern)
            .case_insensitive(options.contains('i'))
            .multi_line(options.contains('m'))
            .dot_matches_new_line(options.contains('s'))
            .ignore_whitespace(options.contains('x'))
            .size_limit(size)
            .nest_limit(64)
            .build()
    };

    let mut fault = String::new();
    for (size, steps_of_four_bytes) in SIZES {
        match build(size) {
            Ok(regex) => {
                return Ok(Expression {
                    regex,
                    steps_of_four_bytes,
                });
            }
            Err(error) => fault = error.to_string(),
        }
    }

    Err(format!(
        "'{pattern}' is no regular expression that is understood: {fault}"
    ))
}

fn matches_text(query: &Query<'_>, expression: &Expression, value: &Value) -> Result<bool, String> {
    let Some(text) = value.as_str() else {
        return Ok(false);
    };
    query.take(text.len() / 4 * expression.steps_of_four_bytes)?;
    Ok(expression.regex.is_match(text))
}

fn is_multiple<'a>(
    query: &Query<'a>,
    found: &[&'a Value],
    operand: &[Value],
) -> Result<bool, String> {
    let numbers: Vec<_> = operand.iter().filter_map(Value::as_i64).collect();
    let [divisor, rest] = numbers.as_slice() else {
        return Err("'$mod' must be a divisor and a remainder".to_owned());
    };
    any_candidate(query, found, |value| {
        let remainder = value
            .as_i64()
            .and_then(|number| number.checked_rem(*divisor));
        Ok(remainder == Some(*rest))
    })
}

fn as_length(value: &Value) -> Option<usize> {
    value
        .as_u64()
        .and_then(|length| usize::try_from(length).ok())
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
