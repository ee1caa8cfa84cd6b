//! Helpers for regular expressions and glob patterns.

use super::{HelperDefinition, arguments::Arguments, helper};
use crate::adapters::ecmascript::{Pattern, compile_steps};
use serde_json::{Value, json};

pub(super) const HELPERS: &[HelperDefinition] = &[
    helper("isMatch", |arguments| {
        let pattern = compile(arguments, &glob(&arguments.text(1)), "")?;
        is_match(arguments, &pattern, &arguments.text(0)).map(Value::from)
    }),
    helper("match", |arguments| {
        let pattern = compile(arguments, &glob(&arguments.text(1)), "")?;
        let items = match arguments.value(0) {
            Value::Array(_) => arguments.items(0),
            other => vec![other.clone()],
        };
        let mut matching = Vec::new();
        for item in items {
            if is_match(arguments, &pattern, &super::text_of(&item))? {
                matching.push(item);
            }
        }
        Ok(matching.into())
    }),
    // `regexMatch text pattern flags`: the match and its groups, as `String.match` returns them.
    helper("regexMatch", |arguments| {
        let pattern = compile(arguments, &arguments.text(1), &arguments.text(2))?;
        let text = arguments.text(0);
        arguments.take_inner(pattern.match_steps(&text))?;
        Ok(pattern
            .captures(&text)?
            .map_or(Value::Null, |groups| json!(groups)))
    }),
    helper("test", |arguments| {
        let (pattern, flags) = match arguments.value(1) {
            Value::Object(_) => {
                let part = |name| arguments.value(1).get(name).and_then(Value::as_str);
                (
                    part("source").unwrap_or_default().to_owned(),
                    part("flags").unwrap_or_default().to_owned(),
                )
            }
            _ => (arguments.text(1), String::new()),
        };
        let pattern = compile(arguments, &pattern, &flags)?;
        is_match(arguments, &pattern, &arguments.text(0)).map(Value::from)
    }),
    helper("toRegex", |arguments| {
        let flags = arguments.named("flags").as_str().unwrap_or_default();
        Ok(json!({"source": arguments.text(0), "flags": flags}))
    }),
];

fn compile(arguments: &Arguments<'_>, pattern: &str, flags: &str) -> Result<Pattern, String> {
    arguments.take_inner(compile_steps(pattern))?;
    Pattern::new(pattern, flags)
}

fn is_match(arguments: &Arguments<'_>, pattern: &Pattern, text: &str) -> Result<bool, String> {
    arguments.take_inner(pattern.match_steps(text))?;
    pattern.is_match(text)
}

/// Converts a glob pattern to a regular expression.
fn glob(pattern: &str) -> String {
    let translated: String = pattern
        .chars()
        .map(|character| match character {
            '*' => "[^]*".to_owned(),
            '?' => "[^]".to_owned(),
            other if other.is_ascii_punctuation() => format!("\\{other}"),
            other => other.to_string(),
        })
        .collect();
    format!("^{translated}$")
}
