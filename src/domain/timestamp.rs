//! A time in UTC with millisecond precision.
//!
//! Formatted as RFC 3339 with three decimals and `Z` (`2018-04-27T00:02:50.419Z`), as in the
//! reference.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// 0000-01-01T00:00:00.000Z
const MIN_MILLIS: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z
const MAX_MILLIS: i64 = 253_402_300_799_999;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z
    pub const EPOCH: Self = Self(0);

    /// Converts milliseconds since the epoch. `None` outside the years 0 to 9999, the range of RFC
    /// 3339.
    pub fn from_millis(millis: i64) -> Option<Self> {
        let year = chrono::Datelike::year(&DateTime::<Utc>::from_timestamp_millis(millis)?);
        (0..=9999).contains(&year).then_some(Self(millis))
    }

    /// This time and `millis` milliseconds, at most the last representable time and at least the
    /// first.
    pub fn saturating_add_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(MIN_MILLIS, MAX_MILLIS))
    }

    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Parses RFC 3339 with any offset, truncated to milliseconds.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let instant = DateTime::parse_from_rfc3339(text).ok()?;
        Self::from_millis(instant.timestamp_millis())
    }

    /// The later of `now` and one millisecond after `self`, so that timestamps move forward even if
    /// the clock does not. Saturates at the last representable time.
    pub fn advanced_to(self, now: Self) -> Self {
        now.max(Self::from_millis(self.0.saturating_add(1)).unwrap_or(self))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let instant =
            DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH);
        f.write_str(&instant.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse_rfc3339(&text)
            .ok_or_else(|| D::Error::custom(format!("'{text}' is not an RFC 3339 time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_milliseconds_and_z() {
        let instant = Timestamp::parse_rfc3339("2018-04-27T02:02:50.4195+02:00").unwrap();
        assert_eq!(instant.to_string(), "2018-04-27T00:02:50.419Z");
        assert_eq!(
            serde_json::to_string(&instant).unwrap(),
            r#""2018-04-27T00:02:50.419Z""#
        );
    }

    #[test]
    fn a_clock_that_jumps_back_still_moves_forward() {
        let before = Timestamp::from_millis(5_000).unwrap();
        let jumped_back = Timestamp::from_millis(1_000).unwrap();
        assert_eq!(before.advanced_to(jumped_back).millis(), 5_001);
        assert_eq!(
            before
                .advanced_to(Timestamp::from_millis(9_000).unwrap())
                .millis(),
            9_000
        );
    }

    #[test]
    fn nothing_comes_after_the_last_instant_that_can_be_written() {
        let last = Timestamp::parse_rfc3339("9999-12-31T23:59:59.999Z").unwrap();
        assert_eq!(last.advanced_to(Timestamp::EPOCH), last);
    }

    #[test]
    fn sums_end_at_the_first_and_the_last_time() {
        for (millis, expected) in [
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            let sum = Timestamp::EPOCH.saturating_add_millis(millis);
            assert_eq!(sum.to_string(), expected);
            assert_eq!(Timestamp::from_millis(sum.millis()), Some(sum));
        }
    }

    #[test]
    fn years_that_rfc3339_cannot_write_are_refused() {
        assert_eq!(Timestamp::from_millis(i64::MAX), None);
        assert_eq!(Timestamp::from_millis(253_402_300_800_000), None);
    }
}
