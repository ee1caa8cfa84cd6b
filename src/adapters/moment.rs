//! Dates and times in the formats of the JavaScript library Moment, which PagerTree uses.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::Value;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
/// Tokens of a format, the longest first.
const TOKENS: [&str; 39] = [
    "YYYY", "MMMM", "dddd", "LLLL", "DDDD", "SSS", "MMM", "ddd", "LLL", "LTS", "DDD", "YY", "MM",
    "DD", "Do", "dd", "HH", "hh", "kk", "mm", "ss", "SS", "ZZ", "LT", "LL", "M", "D", "d", "E",
    "H", "h", "k", "m", "s", "S", "A", "a", "Z", "X",
];
/// Formats of dates without an offset that are accepted besides ISO 8601.
const DATE_TIME_FORMATS: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
];

/// Parses the name of a time zone. The empty name is UTC.
///
/// # Errors
/// There is no such time zone.
pub(super) fn time_zone(name: &str) -> Result<Tz, String> {
    match name.trim() {
        "" => Ok(Tz::Etc__UTC),
        name => name
            .parse()
            .map_err(|_| format!("unknown time zone '{name}'")),
    }
}

/// Parses an instant: Unix seconds or milliseconds, ISO 8601, or RFC 2822.
pub(super) fn instant(value: &Value) -> Option<DateTime<Utc>> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };

    if let Ok(number) = text.parse::<f64>() {
        // Seconds would reach this number in the year 5138.
        let millis = if number.abs() < 1e11 {
            number * 1000.0
        } else {
            number
        };
        return DateTime::from_timestamp_millis(millis.floor() as i64);
    }

    if let Ok(instant) =
        DateTime::parse_from_rfc3339(&text).or_else(|_| DateTime::parse_from_rfc2822(&text))
    {
        return Some(instant.to_utc());
    }

    if let Ok(instant) = DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(instant.to_utc());
    }

    DATE_TIME_FORMATS
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .or_else(|| {
            let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?;
            Some(date.and_time(NaiveTime::MIN))
        })
        .map(|naive| naive.and_utc())
}

/// Formats an instant. Text in brackets is literal.
pub(super) fn format(instant: &DateTime<Tz>, format: &str) -> String {
    let format = if format.is_empty() {
        "YYYY-MM-DDTHH:mm:ssZ"
    } else {
        format
    };
    let mut out = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let bracketed = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if let Some((literal, after)) = bracketed {
            out.push_str(literal);
            rest = after;
            continue;
        }

        match TOKENS.iter().find(|token| rest.starts_with(**token)) {
            Some(token) => {
                out.push_str(&format_token(instant, token));
                rest = rest.get(token.len()..).unwrap_or_default();
            }
            None => {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out
}

fn format_token(instant: &DateTime<Tz>, token: &str) -> String {
    let month = MONTHS
        .get(instant.month0() as usize)
        .copied()
        .unwrap_or_default();
    let weekday = WEEKDAYS
        .get(instant.weekday().num_days_from_monday() as usize)
        .copied()
        .unwrap_or_default();
    let short = |name: &str, length: usize| name.chars().take(length).collect::<String>();
    let (is_pm, hour) = instant.hour12();
    let millis = instant.timestamp_subsec_millis();

    match token {
        "YYYY" => format!("{:04}", instant.year()),
        "YY" => format!("{:02}", instant.year().rem_euclid(100)),
        "MMMM" => month.to_owned(),
        "MMM" => short(month, 3),
        "MM" => format!("{:02}", instant.month()),
        "M" => instant.month().to_string(),
        "DDDD" => format!("{:03}", instant.ordinal()),
        "DDD" => instant.ordinal().to_string(),
        "DD" => format!("{:02}", instant.day()),
        "Do" => ordinal(instant.day().into()),
        "D" => instant.day().to_string(),
        "dddd" => weekday.to_owned(),
        "ddd" => short(weekday, 3),
        "dd" => short(weekday, 2),
        "d" => instant.weekday().num_days_from_sunday().to_string(),
        "E" => instant.weekday().number_from_monday().to_string(),
        "HH" => format!("{:02}", instant.hour()),
        "H" => instant.hour().to_string(),
        "hh" => format!("{hour:02}"),
        "h" => hour.to_string(),
        "kk" => format!("{:02}", (instant.hour() + 23) % 24 + 1),
        "k" => ((instant.hour() + 23) % 24 + 1).to_string(),
        "mm" => format!("{:02}", instant.minute()),
        "m" => instant.minute().to_string(),
        "ss" => format!("{:02}", instant.second()),
        "s" => instant.second().to_string(),
        "SSS" => format!("{millis:03}"),
        "SS" => format!("{:02}", millis / 10),
        "S" => (millis / 100).to_string(),
        "A" => if is_pm { "PM" } else { "AM" }.to_owned(),
        "a" => if is_pm { "pm" } else { "am" }.to_owned(),
        "Z" => instant.format("%:z").to_string(),
        "ZZ" => instant.format("%z").to_string(),
        "X" => instant.timestamp().to_string(),
        "LT" => format(instant, "h:mm A"),
        "LTS" => format(instant, "h:mm:ss A"),
        "LL" => format(instant, "MMMM D, YYYY"),
        "LLL" => format(instant, "MMMM D, YYYY h:mm A"),
        "LLLL" => format(instant, "dddd, MMMM D, YYYY h:mm A"),
        other => other.to_owned(),
    }
}

/// A number with its ordinal suffix: 1st, 2nd, 3rd, 4th.
pub(super) fn ordinal(number: i64) -> String {
    let suffix = match (number.rem_euclid(100), number.rem_euclid(10)) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// Parses a time of day, such as `08:00 am` by `hh:mm a`.
pub(super) fn time_of_day(text: &str, format: &str) -> Option<NaiveTime> {
    let (mut hour, mut minute, mut second, mut is_pm) = (0_u32, 0_u32, 0_u32, None);
    let (mut text, mut format) = (text.trim(), format.trim());
    while let Some(first) = format.chars().next() {
        let token = TOKENS.iter().find(|token| format.starts_with(**token));
        match token.copied() {
            Some(token @ ("HH" | "H" | "hh" | "h" | "kk" | "k" | "mm" | "m" | "ss" | "s")) => {
                let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
                let (number, rest) = text.split_at_checked(digits)?;
                let number = number.parse().ok()?;
                match token.chars().next() {
                    Some('m') => minute = number,
                    Some('s') => second = number,
                    _ => hour = number,
                }
                text = rest;
                format = format.get(token.len()..)?;
            }
            Some("A" | "a") => {
                let (suffix, rest) = text.split_at_checked(2)?;
                is_pm = Some(suffix.eq_ignore_ascii_case("pm"));
                text = rest;
                format = format.get(1..)?;
            }
            _ => {
                text = text.strip_prefix(first)?;
                format = format.get(first.len_utf8()..)?;
            }
        }
    }

    let hour = match is_pm {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour % 24,
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instants_are_formatted_by_tokens() {
        let at = instant(&json!("2026-11-07T15:04:09.120Z")).unwrap();
        for (zone, tokens, expected) in [
            (
                "",
                "YYYY-MM-DD HH:mm:ss.SSS Z",
                "2026-11-07 15:04:09.120 +00:00",
            ),
            (
                "America/New_York",
                "dddd, MMMM Do YYYY, h:mm:ss a",
                "Saturday, November 7th 2026, 10:04:09 am",
            ),
            (
                "Europe/Berlin",
                "ddd D MMM YY [at] H[h] ZZ",
                "Sat 7 Nov 26 at 16h +0100",
            ),
            ("Asia/Tokyo", "LLLL", "Sunday, November 8, 2026 12:04 AM"),
            ("Etc/UTC", "E d X", "6 6 1794063849"),
        ] {
            let zone = time_zone(zone).unwrap();
            assert_eq!(
                format(&at.with_timezone(&zone), tokens),
                expected,
                "{tokens}"
            );
        }
        assert!(time_zone("Mars/Olympus").is_err());
    }

    #[test]
    fn instants_are_parsed_in_many_forms() {
        let expected = instant(&json!(1_764_266_400)).unwrap();
        for same in [
            json!(1_764_266_400_000_i64),
            json!("1764266400"),
            json!("2025-11-27T18:00:00Z"),
            json!("2025-11-27T19:00:00+01:00"),
            json!("2025-11-27T18:00:00.000+0000"),
            json!("2025-11-27 18:00"),
            json!("Thu, 27 Nov 2025 18:00:00 +0000"),
        ] {
            assert_eq!(instant(&same), Some(expected), "{same}");
        }
        assert_eq!(instant(&json!("soon")), None);
        assert_eq!(instant(&json!(1e300)), None);
    }

    #[test]
    fn times_of_day_are_parsed_by_their_format() {
        let time =
            |text: &str, format: &str| time_of_day(text, format).map(|time| time.to_string());
        assert_eq!(time("08:00 am", "hh:mm a").as_deref(), Some("08:00:00"));
        assert_eq!(time("12:30 AM", "hh:mm a").as_deref(), Some("00:30:00"));
        assert_eq!(time("5:05 pm", "h:mm a").as_deref(), Some("17:05:00"));
        assert_eq!(time("23:59:58", "HH:mm:ss").as_deref(), Some("23:59:58"));
        assert_eq!(time("8 o'clock", "HH:mm"), None);
        assert_eq!(time("08:61", "HH:mm"), None);
    }
}
