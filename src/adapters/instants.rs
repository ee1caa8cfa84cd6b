//! Instants that vendors send as numbers.

use super::field::Field;
use crate::domain::timestamp::Timestamp;
use serde_json::Value;

/// Converts Unix seconds, which may have a fraction, to RFC 3339; anything else to null.
pub(super) fn from_seconds(field: Field<'_>) -> Value {
    let Value::Number(number) = field.value() else {
        return Value::Null;
    };

    let millis = match number.as_i64() {
        Some(seconds) => seconds.checked_mul(1000),
        None => number
            .as_f64()
            .map(|seconds| (seconds * 1000.0).floor() as i64),
    };

    millis
        .and_then(Timestamp::from_millis)
        .map_or(Value::Null, |instant| instant.to_string().into())
}

/// Converts Unix milliseconds to RFC 3339, in whole seconds.
pub(super) fn from_milliseconds(field: Field<'_>) -> Value {
    let seconds = field
        .integer()
        .map(|millis| Value::from(millis.div_euclid(1000)));
    seconds.map_or(Value::Null, |value| from_seconds(Field::new(Some(&value))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_numbers_are_converted() {
        let of = |value: Value| from_seconds(Field::new(Some(&value)));
        assert_eq!(of(json!(1_710_782_148)), "2024-03-18T17:15:48.000Z");
        assert_eq!(of(json!(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(of(json!(1_710_782_148.25)), "2024-03-18T17:15:48.250Z");

        for none in [
            json!(null),
            json!("0"),
            json!(i64::MAX),
            json!(1e300),
            json!([1]),
        ] {
            assert_eq!(of(none), Value::Null);
        }

        assert_eq!(
            from_milliseconds(Field::new(Some(&json!(1_556_506_024_291_i64)))),
            "2019-04-29T02:47:04.000Z"
        );
    }
}
