//! Conditions of queries: a value for equality, or operators that must all hold.

use super::Query;
use crate::adapters::{
    compare::{compared, order},
    ecmascript::{Pattern, compile_steps},
};
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// Whether a condition holds for the values at the end of a path.
///
/// # Errors
/// The condition is invalid or takes too many steps.
pub(in crate::adapters::custom_definition) fn holds<'a>(
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

/// The operators of a condition. A mapping without operators is a value for equality.
pub(in crate::adapters::custom_definition) fn operators(
    condition: &Value,
) -> Option<&Map<String, Value>> {
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
            let pattern = compile(query, operand, all.get("$options"))?;
            any_candidate(query, found, |value| matches_text(query, &pattern, value))
        }
        // Part of `$regex`.
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
        other => Err(format!("unknown operator '{other}'")),
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

/// Whether a predicate holds for a value, or for an item of an array.
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

/// A missing value is equal to null.
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

/// Two numbers or two strings have an order.
fn is_ordered<'a>(
    query: &Query<'a>,
    found: &[&'a Value],
    operand: &Value,
    wanted: &[Ordering],
) -> Result<bool, String> {
    // The comparison ends at the end of the operand at the latest.
    let length = operand.as_str().map_or(0, str::len);
    any_candidate(query, found, |value| {
        query.take_bytes(value.as_str().map_or(0, str::len).min(length))?;
        Ok(order(value, operand).is_some_and(|order| wanted.contains(&order)))
    })
}

fn compile(query: &Query<'_>, operand: &Value, options: Option<&Value>) -> Result<Pattern, String> {
    let pattern = operand.as_str().ok_or("'$regex' must be a string")?;
    query.take(compile_steps(pattern))?;
    Pattern::new(pattern, options.and_then(Value::as_str).unwrap_or_default())
}

fn matches_text(query: &Query<'_>, pattern: &Pattern, value: &Value) -> Result<bool, String> {
    let Some(text) = value.as_str() else {
        return Ok(false);
    };
    query.take(pattern.match_steps(text))?;
    pattern.is_match(text)
}

fn is_multiple<'a>(
    query: &Query<'a>,
    found: &[&'a Value],
    operand: &[Value],
) -> Result<bool, String> {
    let numbers: Vec<_> = operand.iter().filter_map(Value::as_i64).collect();
    let [divisor, rest] = numbers.as_slice() else {
        return Err("'$mod' must be a list of a divisor and a remainder".to_owned());
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
