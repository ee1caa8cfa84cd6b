//! Values compared: numbers are the same whichever way they are written, and only what is of one kind has an order.

use serde_json::{Number, Value};
use std::cmp::Ordering;

/// Whether both are the same.
pub(super) fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || numbers(left, right) == Some(Ordering::Equal),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let in_right = |(name, left): (&String, _)| right.get(name).is_some_and(|right| is_same(left, right));
            left.len() == right.len() && left.iter().all(in_right)
        }
        (left, right) => left == right,
    }
}

/// Which comes first, of two numbers or two texts.
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
            assert_eq!(is_same(&value(left), &value(right)), same, "{left} and {right}");
        }
    }

    #[test]
    fn only_what_is_of_one_kind_has_an_order() {
        for (left, right, expected) in [
            ("1", "1.5", Some(Ordering::Less)),
            ("9007199254740993", "9007199254740992", Some(Ordering::Greater)),
            (r#""b""#, r#""a""#, Some(Ordering::Greater)),
            (r#""1""#, "1", None),
            ("true", "true", None),
            ("[1]", "[1]", None),
        ] {
            assert_eq!(order(&value(left), &value(right)), expected, "{left} and {right}");
        }
    }
}
