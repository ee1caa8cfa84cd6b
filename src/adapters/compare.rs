//! Compares JSON values: numbers by value, however they are written.

use serde_json::{Number, Value};
use std::cmp::Ordering;

/// Whether two values are equal.
pub(super) fn is_equal(left: &Value, right: &Value) -> bool {
    compared(left, right).0
}

/// Whether two values are equal, and the cost of the comparison in bytes.
pub(super) fn compared(left: &Value, right: &Value) -> (bool, usize) {
    let mut work = 0;
    (compare(left, right, &mut work), work)
}

/// The cost of inspecting a value, besides its length.
const COST_OF_A_VALUE: usize = 16;

fn compare(left: &Value, right: &Value, work: &mut usize) -> bool {
    *work = work.saturating_add(COST_OF_A_VALUE);
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            *work = work
                .saturating_add(left.as_str().len())
                .saturating_add(right.as_str().len());
            left == right || numbers(left, right) == Some(Ordering::Equal)
        }
        (Value::String(left), Value::String(right)) => {
            *work = work.saturating_add(if left.len() == right.len() {
                left.len()
            } else {
                0
            });
            left == right
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| compare(left, right, work))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| {
                    *work = work.saturating_add(name.len());
                    right
                        .get(name)
                        .is_some_and(|right| compare(left, right, work))
                })
        }
        (left, right) => left == right,
    }
}

/// The order of two numbers or two strings. Other pairs have none.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => numbers(left, right),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_same_value_can_be_written_in_several_ways() {
        for (left, right, same) in [
            ("1", "1.0", true),
            ("1e2", "100", true),
            ("9007199254740993", "9007199254740992", false),
            (r#"[1, {"a": 2}]"#, r#"[1.0, {"a": 2e0}]"#, true),
            (r#"{"a": 1, "b": null}"#, r#"{"b": null, "a": 1}"#, true),
            (r#"{"a": null}"#, r#"{"b": null}"#, false),
            ("1", r#""1""#, false),
            ("null", "false", false),
        ] {
            assert_eq!(
                compared(&value(left), &value(right)).0,
                same,
                "{left} and {right}"
            );
        }
    }

    #[test]
    fn the_work_is_that_of_what_was_looked_at() {
        let work = |left: &Value, right: &Value| compared(left, right).1;
        let (short, long) = (value("[1]"), vec![Value::Null; 1_000].into());
        assert_eq!(work(&short, &long), COST_OF_A_VALUE, "their lengths differ");
        assert_eq!(work(&long, &long), 1_001 * COST_OF_A_VALUE);

        let text = |length: usize| Value::String("x".repeat(length));
        assert_eq!(
            (work(&text(500), &text(500)), work(&text(500), &text(501))),
            (COST_OF_A_VALUE + 500, COST_OF_A_VALUE)
        );

        let members = |count: usize| {
            Value::Object(
                (0..count)
                    .map(|n| (format!("name{n:04}"), true.into()))
                    .collect(),
            )
        };

        assert_eq!(
            work(&members(1_000), &members(1_000)),
            COST_OF_A_VALUE + 1_000 * (COST_OF_A_VALUE + 8)
        );
    }

    #[test]
    fn only_what_is_of_one_kind_has_an_order() {
        for (left, right, expected) in [
            ("1", "1.5", Some(Ordering::Less)),
            (
                "9007199254740993",
                "9007199254740992",
                Some(Ordering::Greater),
            ),
            (r#""b""#, r#""a""#, Some(Ordering::Greater)),
            (r#""1""#, "1", None),
            ("true", "true", None),
            ("[1]", "[1]", None),
        ] {
            assert_eq!(
                order(&value(left), &value(right)),
                expected,
                "{left} and {right}"
            );
        }
    }
}
