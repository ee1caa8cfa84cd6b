//! Formats values as Ruby's string interpolation does, which PagerTree's adapters use.

use serde_json::{Number, Value};

/// Ruby's `to_s`: strings as they are, null as `""`, arrays and objects as by `inspect`.
pub(super) fn to_ruby_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => inspect(other),
    }
}

fn inspect(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format_number(number),
        Value::String(text) => quote(text),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(inspect).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{}=>{}", quote(name), inspect(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Integers keep every digit; floats get the shortest form: 1.50 is 1.5, and 1e20 is 1.0e+20.
fn format_number(number: &Number) -> String {
    let sent = number.to_string();
    match number
        .as_f64()
        .filter(|_| sent.contains(['.', 'e', 'E']))
        .map(|number| format!("{number:?}"))
    {
        Some(shortest) => match shortest.split_once('e') {
            Some((digits, exponent)) => {
                let point = if digits.contains('.') { "" } else { ".0" };
                format!(
                    "{digits}{point}e{:+03}",
                    exponent.parse::<i32>().unwrap_or_default()
                )
            }
            None => shortest,
        },
        None => sent,
    }
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '#' if matches!(rest.peek(), Some('{' | '$' | '@')) => quoted.push_str("\\#"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(control)))
            }
            other => quoted.push(other),
        }
    }

    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_formatted_as_in_ruby() {
        for (json, expected) in [
            ("null", ""),
            ("false", "false"),
            (r#""a \"b\" \n""#, "a \"b\" \n"),
            ("285731000000025120", "285731000000025120"),
            (
                "[1.50, 2.0, -1e2, 1e20, 0.00001, 1.25e-7]",
                "[1.5, 2.0, -100.0, 1.0e+20, 1.0e-05, 1.25e-07]",
            ),
            (r#"["a", null, true, []]"#, r#"["a", nil, true, []]"#),
            (
                r#"{"a": {"b": [1]}, "c": {}}"#,
                r#"{"a"=>{"b"=>[1]}, "c"=>{}}"#,
            ),
            (
                r##"["\" \\ \n \u0001 # #{x} \u00fc"]"##,
                "[\"\\\" \\\\ \\n \\u0001 # \\#{x} \u{fc}\"]",
            ),
        ] {
            assert_eq!(
                to_ruby_text(&serde_json::from_str(json).unwrap()),
                expected,
                "{json}"
            );
        }
    }
}
