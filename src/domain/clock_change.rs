//! How a test moves the clock of its account, parsed from a request or a setting.

use super::{
    body::{self, AttributeReader, Strictness, excerpt, kind_of},
    duration,
    rejection::Rejection,
    timestamp::Timestamp,
};
use serde_json::{Map, Value};

/// The rate of a clock in thousandths: 1,000 for the usual one, 0 for a clock that stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockRate(u32);

/// The largest rate as a factor.
const MAX_RATE: f64 = 1_000_000.0;

impl ClockRate {
    /// The usual rate.
    pub const NORMAL: Self = Self(1_000);

    /// Parses a factor.
    ///
    /// # Errors
    /// What would be valid.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let found = match value {
            Value::Number(number) => match number.as_f64() {
                Some(rate) if (0.0..=MAX_RATE).contains(&rate) => {
                    return Ok(Self((rate * 1000.0).round() as u32));
                }
                _ => excerpt(&number.to_string()),
            },
            other => kind_of(other).to_owned(),
        };
        Err(format!(
            "must be a number from 0 to {MAX_RATE}, but was {found}"
        ))
    }

    /// Thousandths of the usual rate.
    pub fn thousandths(self) -> u32 {
        self.0
    }

    /// As a JSON number, without decimals where it has none.
    pub fn to_json(self) -> Value {
        match self.0 % 1000 {
            0 => (self.0 / 1000).into(),
            _ => (f64::from(self.0) / 1000.0).into(),
        }
    }
}

/// Where to move a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTarget {
    /// To the time that it shows.
    Here,
    /// To this time.
    At(Timestamp),
    /// Further by these milliseconds, or back if they are negative.
    By(i64),
}

/// A change of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockChange {
    /// Where to move it.
    pub target: ClockTarget,
    /// How fast it runs from then on; `None` as before.
    pub rate: Option<ClockRate>,
}

impl ClockChange {
    /// Parses `{"now": "2026-01-01T00:00:00Z", "rate": 0}` or `{"advance": "36h"}`.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn parse(attributes: Map<String, Value>) -> Result<Self, Rejection> {
        let mut body = AttributeReader::new(attributes);
        let now = body.optional("now", |value| time(&body::text(value)?));
        let advance = body.optional("advance", |value| duration::parse_millis(&value));
        let rate = body.optional("rate", |value| ClockRate::parse(&value));
        body.finish(Strictness::Strict)?;

        let target = match (now, advance) {
            (Some(_), Some(_)) => {
                return Err(Rejection::invalid(
                    "'now' and 'advance' exclude each other: send one of them",
                ));
            }
            (Some(now), None) => ClockTarget::At(now),
            (None, Some(millis)) => ClockTarget::By(millis),
            (None, None) if rate.is_some() => ClockTarget::Here,
            (None, None) => {
                return Err(Rejection::invalid(
                    "One of 'now', 'advance' and 'rate' is required",
                ));
            }
        };

        Ok(Self { target, rate })
    }
}

/// Parses the setting of a clock at the start: a time, and after `@` a rate, which is 1 by default.
///
/// # Errors
/// What would be valid.
pub fn parse_setting(text: &str) -> Result<(Timestamp, ClockRate), String> {
    let (at, rate) = text.split_once('@').unwrap_or((text, "1"));
    let rate = serde_json::from_str(rate.trim()).map_err(|_| {
        format!(
            "must end in a number after '@', but was '{}'",
            excerpt(text)
        )
    })?;
    Ok((time(at.trim())?, ClockRate::parse(&rate)?))
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| {
        format!(
            "must be a time like '2026-01-01T00:00:00Z', but was '{}'",
            excerpt(text)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(body: &Value) -> Result<ClockChange, Rejection> {
        ClockChange::parse(body.as_object().unwrap().clone())
    }

    #[test]
    fn changes_are_parsed() {
        let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        for (body, target, rate) in [
            (
                json!({"now": "2026-01-01T01:00:00+01:00", "rate": 0}),
                ClockTarget::At(start),
                Some(0),
            ),
            (json!({"advance": "1s"}), ClockTarget::By(1000), None),
            (json!({"rate": 2.5}), ClockTarget::Here, Some(2500)),
        ] {
            let rate = rate.map(ClockRate);
            assert_eq!(parse(&body), Ok(ClockChange { target, rate }), "{body}");
        }
    }

    #[test]
    fn contradictory_and_malformed_changes_are_refused() {
        for body in [
            json!({}),
            json!({"now": "2026-01-01T00:00:00Z", "advance": "1h"}),
            json!({"now": "tomorrow"}),
            json!({"now": 1}),
            json!({"rate": -1}),
            json!({"rate": 1_000_001}),
            json!({"rate": "fast"}),
            json!({"speed": 1}),
        ] {
            assert!(parse(&body).is_err(), "{body}");
        }
    }

    #[test]
    fn settings_have_a_time_and_perhaps_a_rate() {
        let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let parsed = |text| parse_setting(text).ok();
        assert_eq!(
            parsed("2026-01-01T00:00:00Z"),
            Some((start, ClockRate::NORMAL))
        );
        assert_eq!(
            parsed("2026-01-01T00:00:00Z@0"),
            Some((start, ClockRate(0)))
        );
        for text in [
            "",
            "@0",
            "2026",
            "2026-01-01T00:00:00Z@",
            "2026-01-01T00:00:00Z@x",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn whole_rates_have_no_decimals() {
        assert_eq!(ClockRate::NORMAL.to_json().to_string(), "1");
        assert_eq!(ClockRate(2500).to_json().to_string(), "2.5");
    }
}
