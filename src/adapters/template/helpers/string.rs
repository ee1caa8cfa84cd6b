//! Helpers for strings.

use super::{
    HelperDefinition,
    arguments::{Arguments, text_of},
    array::concat,
    helper,
};
use serde_json::Value;

/// The longest padding of `center`.
const MAX_PADDING: i64 = 1_000;

pub(super) const HELPERS: &[HelperDefinition] = &[
    helper("append", |arguments| {
        Ok(concat(arguments.values.iter().map(|value| text_of(value)), "").into())
    }),
    helper("camelcase", |arguments| {
        Ok(camel_case(&arguments.text(0)).into())
    }),
    helper("capitalize", |arguments| {
        Ok(capitalize(&arguments.text(0)).into())
    }),
    helper("capitalizeAll", |arguments| {
        let text = arguments.text(0);
        let words: Vec<_> = text.split(' ').map(capitalize).collect();
        Ok(words.join(" ").into())
    }),
    helper("center", |arguments| {
        let count = arguments.index(1).unwrap_or_default().clamp(0, MAX_PADDING);
        let padding = "&nbsp;".repeat(usize::try_from(count).unwrap_or_default());
        Ok(format!("{padding}{}{padding}", arguments.text(0)).into())
    }),
    helper("chop", |arguments| {
        let text = arguments.text(0);
        Ok(text
            .trim_matches(|character: char| !character.is_alphanumeric())
            .into())
    }),
    helper("dashcase", |arguments| {
        Ok(separate(&arguments.text(0), "-").into())
    }),
    helper("dotcase", |arguments| {
        Ok(separate(&arguments.text(0), ".").into())
    }),
    helper("downcase", |arguments| {
        Ok(arguments.text(0).to_lowercase().into())
    }),
    helper("ellipsis", |arguments| {
        Ok(truncate(&arguments.text(0), arguments.index(1), "…").into())
    }),
    helper("endsWith", |arguments| {
        Ok(arguments.text(1).ends_with(&arguments.text(0)).into())
    }),
    helper("hyphenate", |arguments| {
        Ok(arguments.text(0).replace(' ', "-").into())
    }),
    helper("inflect", |arguments| {
        let count = arguments.number(0)?;
        let word = if count.abs() == 1.0 {
            arguments.text(1)
        } else {
            arguments.text(2)
        };
        let has_count = arguments.is_truthy(3);
        Ok(if has_count {
            format!("{} {word}", arguments.text(0))
        } else {
            word
        }
        .into())
    }),
    helper("lowercase", |arguments| {
        Ok(arguments.text(0).to_lowercase().into())
    }),
    helper("nl2br", |arguments| {
        let text = arguments.text(0).replace("\r\n", "\n").replace('\r', "\n");
        Ok(concat(text.split('\n'), "<br>\n").into())
    }),
    helper("occurrences", |arguments| {
        let part = arguments.text(1);
        let count = if part.is_empty() {
            0
        } else {
            arguments.text(0).matches(&part).count()
        };
        Ok(count.into())
    }),
    helper("pascalcase", |arguments| {
        Ok(capitalize(&camel_case(&arguments.text(0))).into())
    }),
    helper("pathcase", |arguments| {
        Ok(separate(&arguments.text(0), "/").into())
    }),
    helper("plusify", |arguments| {
        Ok(arguments.text(0).replace(' ', "+").into())
    }),
    helper("prepend", |arguments| {
        Ok(format!("{}{}", arguments.text(1), arguments.text(0)).into())
    }),
    helper("remove", |arguments| Ok(replace(arguments, "", usize::MAX))),
    helper("removeFirst", |arguments| Ok(replace(arguments, "", 1))),
    helper("replace", |arguments| {
        Ok(replace(arguments, &arguments.text(2), usize::MAX))
    }),
    helper("replaceAll", |arguments| {
        let with = arguments.text(2);
        Ok(replace(arguments, &with, usize::MAX))
    }),
    helper("replaceFirst", |arguments| {
        Ok(replace(arguments, &arguments.text(2), 1))
    }),
    helper("sanitize", |arguments| {
        Ok(without_tags(&arguments.text(0)).into())
    }),
    helper("sentence", |arguments| {
        Ok(sentence_case(&arguments.text(0)).into())
    }),
    helper("snakecase", |arguments| {
        Ok(separate(&arguments.text(0), "_").into())
    }),
    helper("split", |arguments| {
        let separator = match arguments.value(1) {
            Value::String(separator) => separator.clone(),
            _ => ",".to_owned(),
        };
        let text = arguments.text(0);
        Ok(if separator.is_empty() {
            text.chars()
                .map(|character| Value::from(character.to_string()))
                .collect()
        } else {
            text.split(&separator).map(Value::from).collect()
        })
    }),
    helper("startsWith", |arguments| {
        Ok(arguments.text(1).starts_with(&arguments.text(0)).into())
    }),
    helper("titleize", |arguments| {
        let text = arguments.text(0);
        let words = text
            .split([' ', '-', '_'])
            .filter(|word| !word.is_empty())
            .map(capitalize);
        Ok(words.collect::<Vec<_>>().join(" ").into())
    }),
    helper("trim", |arguments| Ok(arguments.text(0).trim().into())),
    helper("trimLeft", |arguments| {
        Ok(arguments.text(0).trim_start().into())
    }),
    helper("trimRight", |arguments| {
        Ok(arguments.text(0).trim_end().into())
    }),
    helper("truncate", |arguments| {
        Ok(truncate(&arguments.text(0), arguments.index(1), &arguments.text(2)).into())
    }),
    helper("truncateWords", |arguments| {
        let suffix = match arguments.value(2) {
            Value::Null => "…".to_owned(),
            other => text_of(other),
        };
        let (text, count) = (arguments.text(0), arguments.index(1).unwrap_or(i64::MAX));
        let words: Vec<_> = text.split_whitespace().collect();
        let count = usize::try_from(count).unwrap_or_default();
        Ok(match words.get(..count) {
            Some(kept) if count < words.len() => format!("{}{suffix}", kept.join(" ")),
            _ => text,
        }
        .into())
    }),
    helper("upcase", |arguments| {
        Ok(arguments.text(0).to_uppercase().into())
    }),
    helper("uppercase", |arguments| {
        Ok(arguments.text(0).to_uppercase().into())
    }),
];

fn capitalize(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(rest).collect()
    })
}

/// The words of a text, in lower case, with a separator between them.
fn separate(text: &str, separator: &str) -> String {
    let words = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty());
    concat(words.map(str::to_lowercase), separator)
}

fn camel_case(text: &str) -> String {
    let words: Vec<_> = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let mut result = String::new();
    for (index, word) in words.iter().enumerate() {
        let lower = word.to_lowercase();
        result.push_str(&if index == 0 {
            lower
        } else {
            capitalize(&lower)
        });
    }
    result
}

/// Replaces the second argument within the first.
fn replace(arguments: &Arguments<'_>, new: &str, count: usize) -> Value {
    let (text, old) = (arguments.text(0), arguments.text(1));
    if old.is_empty() {
        return text.into();
    }
    concat(text.splitn(count.saturating_add(1), old.as_str()), new).into()
}

/// Removes everything between `<` and `>`.
fn without_tags(text: &str) -> String {
    let mut is_inside = false;
    text.chars()
        .filter(|character| {
            let was_inside = is_inside;
            is_inside = *character == '<' || (is_inside && *character != '>');
            !is_inside && !was_inside
        })
        .collect()
}

fn sentence_case(text: &str) -> String {
    let mut begins = true;
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        if begins && character.is_alphanumeric() {
            result.extend(character.to_uppercase());
            begins = false;
        } else {
            result.extend(character.to_lowercase());
        }
        begins |= matches!(character, '.' | '?' | '!');
    }
    result
}

fn truncate(text: &str, length: Option<i64>, suffix: &str) -> String {
    let end = length
        .and_then(|length| usize::try_from(length).ok())
        .and_then(|length| text.char_indices().nth(length));
    let kept = end.and_then(|(end, _)| text.get(..end));
    kept.map_or_else(
        || text.to_owned(),
        |kept| format!("{}{suffix}", kept.trim_end()),
    )
}
