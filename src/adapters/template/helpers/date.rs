//! Helpers for dates and times, with the formats of Moment.

use super::{HelperDefinition, arguments::Arguments, helper};
use crate::adapters::moment;
use chrono::{DateTime, Utc};
use serde_json::Value;

const DEFAULT_FORMAT: &str = "MMMM DD, YYYY";

pub(super) const HELPERS: &[HelperDefinition] = &[
    helper("date", format_date),
    helper("moment", format_date),
    helper("unix-timezone", |arguments| {
        let instant = instant(arguments)?.with_timezone(&moment::time_zone(&arguments.text(1))?);
        Ok(moment::format(&instant, &arguments.text(2)).into())
    }),
    helper("year", |arguments| {
        let now = arguments.now.with_timezone(&moment::time_zone("")?);
        Ok(moment::format(&now, "YYYY").into())
    }),
];

/// `{{moment instant "YYYY-MM-DD"}}`; without an instant, or with `now`, the time of the event.
fn format_date(arguments: &Arguments<'_>) -> Result<Value, String> {
    let zone = moment::time_zone(arguments.named("timezone").as_str().unwrap_or_default())?;
    let format = match arguments.named("format").as_str() {
        Some(format) => format.to_owned(),
        None => arguments.text(1),
    };
    let format = if format.is_empty() {
        DEFAULT_FORMAT
    } else {
        &format
    };
    let instant = instant(arguments)?.with_timezone(&zone);
    Ok(moment::format(&instant, format).into())
}

fn instant(arguments: &Arguments<'_>) -> Result<DateTime<Utc>, String> {
    match arguments.text(0).as_str() {
        "" | "now" => Ok(arguments.now),
        text => moment::instant(arguments.value(0)).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            format!("'{text}' is not a date")
        }),
    }
}
