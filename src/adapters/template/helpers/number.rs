//! Helpers for arithmetic, and for the format of numbers.

use super::{
    HelperDefinition,
    arguments::{Arguments, from_number, number_of},
    deep, helper,
};
use crate::adapters::moment;
use serde_json::Value;

pub(super) const HELPERS: &[HelperDefinition] = &[
    helper("abs", |arguments| {
        Ok(from_number(arguments.number(0)?.abs()))
    }),
    helper("add", add),
    helper("addCommas", |arguments| {
        Ok(add_commas(&arguments.text(0)).into())
    }),
    deep("avg", |arguments| {
        let numbers = numbers(arguments);
        let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        Ok(from_number(
            numbers.iter().sum::<f64>() / f64::from(count.max(1)),
        ))
    }),
    helper("bytes", |arguments| {
        Ok(abbreviate(arguments, &["B", "kB", "MB", "GB", "TB", "PB"], " ").into())
    }),
    helper("ceil", |arguments| {
        Ok(from_number(arguments.number(0)?.ceil()))
    }),
    helper("divide", |arguments| quotient(arguments, |a, b| a / b)),
    helper("floor", |arguments| {
        Ok(from_number(arguments.number(0)?.floor()))
    }),
    helper("minus", |arguments| {
        Ok(from_number(arguments.number(0)? - arguments.number(1)?))
    }),
    helper("modulo", |arguments| quotient(arguments, |a, b| a % b)),
    helper("multiply", |arguments| {
        Ok(from_number(arguments.number(0)? * arguments.number(1)?))
    }),
    helper("ordinalize", |arguments| {
        Ok(moment::ordinal(arguments.number(0)?.trunc() as i64).into())
    }),
    helper("phoneNumber", |arguments| {
        Ok(phone_number(&arguments.text(0)).into())
    }),
    helper("plus", add),
    helper("remainder", |arguments| quotient(arguments, |a, b| a % b)),
    helper("round", |arguments| {
        Ok(from_number((arguments.number(0)? + 0.5).floor()))
    }),
    helper("subtract", |arguments| {
        Ok(from_number(arguments.number(0)? - arguments.number(1)?))
    }),
    deep("sum", |arguments| {
        Ok(from_number(numbers(arguments).iter().sum()))
    }),
    helper("times", |arguments| {
        Ok(from_number(arguments.number(0)? * arguments.number(1)?))
    }),
    helper("toAbbr", |arguments| {
        Ok(abbreviate(arguments, &["", "k", "m", "b", "t", "q"], "").into())
    }),
    helper("toExponential", |arguments| {
        let digits = digits(arguments, 0);
        let text = format!("{:.digits$e}", number(arguments));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        Ok(format!("{mantissa}e{sign}{exponent}").into())
    }),
    helper("toFixed", |arguments| {
        let digits = digits(arguments, 0);
        Ok(format!("{:.digits$}", number(arguments)).into())
    }),
    helper("toFloat", |arguments| {
        Ok(leading_number(&arguments.text(0), true))
    }),
    helper("toInt", |arguments| {
        Ok(leading_number(&arguments.text(0), false))
    }),
    helper("toPrecision", |arguments| {
        let (number, digits) = (number(arguments), digits(arguments, 1).max(1));
        let magnitude = if number == 0.0 {
            0
        } else {
            number.abs().log10().floor() as i32
        };
        let decimals = i32::try_from(digits)
            .unwrap_or(1)
            .saturating_sub(1)
            .saturating_sub(magnitude);
        Ok(format!(
            "{:.*}",
            usize::try_from(decimals).unwrap_or_default(),
            number
        )
        .into())
    }),
];

fn number(arguments: &Arguments<'_>) -> f64 {
    number_of(arguments.value(0)).unwrap_or_default()
}

/// The number of digits at the second position, at most 20.
fn digits(arguments: &Arguments<'_>, default: i64) -> usize {
    usize::try_from(arguments.index(1).unwrap_or(default).clamp(0, 20)).unwrap_or_default()
}

/// All numbers, of arrays too.
fn numbers(arguments: &Arguments<'_>) -> Vec<f64> {
    (0..arguments.values.len())
        .flat_map(|position| match number_of(arguments.value(position)) {
            Some(number) => vec![number],
            None => arguments
                .items(position)
                .iter()
                .filter_map(number_of)
                .collect(),
        })
        .collect()
}

fn add(arguments: &Arguments<'_>) -> Result<Value, String> {
    match (arguments.value(0), arguments.value(1)) {
        (Value::String(left), Value::String(right))
            if number_of(arguments.value(0)).is_none()
                || number_of(arguments.value(1)).is_none() =>
        {
            Ok(format!("{left}{right}").into())
        }
        _ => Ok(from_number(arguments.number(0)? + arguments.number(1)?)),
    }
}

fn quotient(arguments: &Arguments<'_>, operation: fn(f64, f64) -> f64) -> Result<Value, String> {
    let (dividend, divisor) = (arguments.number(0)?, arguments.number(1)?);
    if divisor == 0.0 {
        return Err("division by zero".to_owned());
    }
    Ok(from_number(operation(dividend, divisor)))
}

fn add_commas(text: &str) -> String {
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.trim_start_matches('-');
    let sign = if whole.starts_with('-') { "-" } else { "" };
    let grouped: String = digits
        .chars()
        .enumerate()
        .flat_map(|(index, digit)| {
            let is_boundary = index > 0 && digits.len().saturating_sub(index) % 3 == 0;
            is_boundary.then_some(',').into_iter().chain([digit])
        })
        .collect();
    format!("{sign}{grouped}{fraction}")
}

fn phone_number(text: &str) -> String {
    let part =
        |start: usize, length: usize| text.chars().skip(start).take(length).collect::<String>();
    format!("({}) {}-{}", part(0, 3), part(3, 3), part(6, 4))
}

/// A number in thousands, millions and so on, with two decimals unless given otherwise.
fn abbreviate(arguments: &Arguments<'_>, units: &[&str], space: &str) -> String {
    let number = match arguments.value(0) {
        Value::String(text) if number_of(arguments.value(0)).is_none() => {
            text.chars().count() as f64
        }
        _ => number(arguments),
    };
    let (mut scaled, mut unit) = (number, 0_usize);
    while scaled.abs() + 1.0 > 1000.0 && unit + 1 < units.len() {
        scaled /= 1000.0;
        unit += 1;
    }

    let factor = 10_f64.powi(i32::try_from(digits(arguments, 2)).unwrap_or(2));
    let rounded = from_number((scaled * factor).round() / factor);
    format!(
        "{rounded}{space}{}",
        units.get(unit).copied().unwrap_or_default()
    )
}

/// JavaScript's `parseFloat` and `parseInt`: the number at the start of a text.
fn leading_number(text: &str, allows_fraction: bool) -> Value {
    let text = text.trim_start();
    let mut has_point = false;
    let end = text
        .char_indices()
        .find(|(index, character)| match character {
            '-' | '+' => *index > 0,
            '.' if allows_fraction && !has_point => {
                has_point = true;
                false
            }
            other => !other.is_ascii_digit(),
        })
        .map_or(text.len(), |(index, _)| index);
    let number = text.get(..end).and_then(|text| text.parse().ok());
    number.map_or(Value::Null, from_number)
}
