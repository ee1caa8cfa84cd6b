//! The operators `$day`, `$now` and `$timeBetween`, which depend on the time of the event.
//!
//! Source: PagerTree's guide to routers.

use super::{Query, condition};
use crate::adapters::moment;
use chrono::{DateTime, Datelike, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

const DEFAULT_DATE_FORMAT: &str = "YYYY-MM-DD";
const DEFAULT_TIME_FORMAT: &str = "hh:mm a";

/// Whether one of the operators holds.
///
/// # Errors
/// The operand is invalid, or the query takes too many steps.
pub(in crate::adapters::custom_definition) fn holds(
    query: &Query<'_>,
    now: DateTime<Utc>,
    operator: &str,
    operand: &Value,
) -> Result<bool, String> {
    let operand = operand
        .as_object()
        .ok_or_else(|| format!("'{operator}' must be a mapping"))?;
    let now = now.with_timezone(&moment::time_zone(text(operand, "timezone"))?);
    query.take(1)?;

    let value = match operator {
        "$day" => Value::from(now.weekday().number_from_monday()),
        "$now" => match text(operand, "format") {
            "" => moment::format(&now, DEFAULT_DATE_FORMAT).into(),
            format => moment::format(&now, format).into(),
        },
        _ => return is_between(now, operand),
    };

    let condition: Map<String, Value> = operand
        .iter()
        .filter(|(name, _)| name.starts_with('$'))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if condition.is_empty() {
        return Ok(true);
    }
    condition::holds(query, &[&value], &condition.into())
}

fn text<'a>(operand: &'a Map<String, Value>, name: &str) -> &'a str {
    operand
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether the time of day is within a span, both ends included. A span that ends before it starts
/// lasts over midnight.
fn is_between(now: DateTime<Tz>, operand: &Map<String, Value>) -> Result<bool, String> {
    let format = match text(operand, "timeformat") {
        "" => DEFAULT_TIME_FORMAT,
        format => format,
    };
    let bound = |name: &str| {
        let time = text(operand, name);
        moment::time_of_day(time, format)
            .ok_or_else(|| format!("'{name}' ('{time}') does not have the format '{format}'"))
    };
    let (start, end) = (bound("starttime")?, bound("endtime")?);

    // Without seconds in the format, the whole minute of the end is included.
    let second = if format.contains('s') {
        now.second()
    } else {
        0
    };
    let time = NaiveTime::from_hms_opt(now.hour(), now.minute(), second).unwrap_or_default();
    Ok(if start <= end {
        (start..=end).contains(&time)
    } else {
        time >= start || time <= end
    })
}
