//! Times in queries and in stored objects.
//!
//! More precise than `Timestamp`, which truncates to milliseconds: an object stored at `.419` is
//! earlier than a bound of `.4195`, not equal to it.

use chrono::{DateTime, Utc};

use crate::domain::timestamp::Timestamp;

/// A time with nanosecond precision.
pub(super) type Instant = DateTime<Utc>;

/// Parses a stored time.
pub(super) fn parse_stored(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.with_timezone(&Utc))
}

/// Parses a time from a query: RFC 3339, or Unix seconds with an optional fraction.
///
/// An unencoded `+` arrives as a space. If only that makes an offset invalid, it is read as `+`.
pub(super) fn parse_asked(text: &str) -> Option<Instant> {
    parse_stored(text)
        .or_else(|| parse_stored(&with_plus_restored(text)?))
        .or_else(|| parse_unix_seconds(text))
}

fn with_plus_restored(text: &str) -> Option<String> {
    let (before, offset) = text.rsplit_once(' ')?;
    (offset.len() == "02:00".len()).then(|| format!("{before}+{offset}"))
}

/// Decimal digits, not a float: a float cannot hold today's milliseconds exactly.
fn parse_unix_seconds(text: &str) -> Option<Instant> {
    let (negative, text) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };

    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit())
    {
        return None;
    }

    let seconds: i64 = whole.parse().ok()?;
    let nanoseconds: i64 = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect::<String>()
        .parse()
        .ok()?;
    let sign = if negative { -1 } else { 1 };
    let total = (i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)) * sign;
    let seconds = i64::try_from(total.div_euclid(1_000_000_000)).ok()?;
    let instant = DateTime::from_timestamp(
        seconds,
        u32::try_from(total.rem_euclid(1_000_000_000)).ok()?,
    )?;

    // Milliseconds given as seconds mean a year beyond 9999. That deserves an error, not an empty
    // list.
    Timestamp::from_millis(instant.timestamp_millis()).map(|_| instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<String> {
        parse_asked(text)
            .map(|instant| instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }

    #[test]
    fn every_spelling_of_an_instant_is_the_same_instant() {
        let expected = Some("2018-04-27T00:02:50.419Z".to_owned());
        for spelling in [
            "2018-04-27T00:02:50.419Z",
            "2018-04-27t00:02:50.419z",
            "2018-04-27T02:02:50.419+02:00",
            "2018-04-27T02:02:50.419 02:00",
            "2018-04-26T19:02:50.419000-05:00",
            "1524787370.419",
            "1524787370.4190000000000000",
        ] {
            assert_eq!(asked(spelling), expected, "{spelling}");
        }
    }

    #[test]
    fn unix_seconds_may_be_negative_and_finer_than_milliseconds() {
        assert_eq!(asked("0").unwrap(), "1970-01-01T00:00:00Z");
        assert_eq!(asked("-1.5").unwrap(), "1969-12-31T23:59:58.500Z");
        assert_eq!(
            asked("1.000000001").unwrap(),
            "1970-01-01T00:00:01.000000001Z"
        );
    }

    #[test]
    fn what_is_no_time_is_not_guessed_at() {
        for text in [
            "",
            " ",
            "yesterday",
            "2018-04-27",
            "2018-04-27T00:02:50",
            "2018-13-01T00:00:00Z",
            "2018-04-27T00:02:50  02:00",
            "2018-04-27T00:02:50 2:00",
            "1.",
            ".5",
            "-",
            "1e9",
            "1524787370419",
            "99999999999999999999",
            "١",
        ] {
            assert_eq!(asked(text), None, "{text}");
        }
    }
}
