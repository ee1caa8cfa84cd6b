//! Durations as people write them: `36h`, `1d12h`, `-5m`, `250ms`, or a number of seconds.

use super::body::{excerpt, kind_of};
use serde_json::Value;

/// Units and their milliseconds. `ms` precedes the units that it begins with.
const UNITS: [(&str, i64); 6] = [
    ("ms", 1),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
];

/// A duration in milliseconds, which may be negative.
///
/// # Errors
/// What would be valid.
pub fn parse_millis(value: &Value) -> Result<i64, String> {
    let found = match value {
        Value::String(text) => {
            return parse_text(text).ok_or_else(|| {
                format!(
                    "must be a duration like '36h', '1d12h', '-5m' or '250ms', but was '{}'",
                    excerpt(text)
                )
            });
        }
        Value::Number(number) => {
            let seconds = number.as_i64();
            if let Some(millis) = seconds.and_then(|seconds| seconds.checked_mul(1000)) {
                return Ok(millis);
            }
            number.to_string()
        }
        other => kind_of(other).to_owned(),
    };
    Err(format!(
        "must be a duration like '36h', or a whole number of seconds, but was {found}"
    ))
}

fn parse_text(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if rest.is_empty() {
        return None;
    }

    let mut sum = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let (unit, millis) = UNITS
            .into_iter()
            .find(|(unit, _)| after.starts_with(unit))?;
        let part = number.parse::<i64>().ok()?.checked_mul(millis)?;
        sum = sum.checked_add(part)?;
        rest = after.get(unit.len()..)?;
    }

    Some(sum * sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (value, millis) in [
            (json!("36h"), 129_600_000),
            (json!("1d12h"), 129_600_000),
            (json!("-5m"), -300_000),
            (json!("250ms"), 250),
            (json!("1m30s"), 90_000),
            (json!("2w"), 1_209_600_000),
            (json!(5), 5_000),
            (json!(-1), -1_000),
        ] {
            assert_eq!(parse_millis(&value), Ok(millis), "{value}");
        }
    }

    #[test]
    fn other_values_are_refused() {
        for value in [
            json!(""),
            json!("-"),
            json!("5"),
            json!("h"),
            json!("5 h"),
            json!("5y"),
            json!("99999999999999999d"),
            json!(1.5),
            json!(u64::MAX),
            json!(null),
        ] {
            assert!(parse_millis(&value).is_err(), "{value}");
        }
    }
}
