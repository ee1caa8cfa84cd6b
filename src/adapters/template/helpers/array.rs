//! Helpers for arrays and collections.

use super::{
    Block, HelperDefinition, MAX_OUTPUT_BYTES,
    arguments::{Arguments, member, text_of},
    deep, helper,
    object::type_of,
};
use crate::adapters::compare;
use handlebars::JsonTruthy as _;
use serde_json::{Value, json};

pub(super) const HELPERS: &[HelperDefinition] = &[
    deep("after", |arguments| {
        Ok(slice(
            arguments.items(0),
            arguments.index(1).unwrap_or(0),
            None,
        ))
    }),
    deep("arrayify", |arguments| {
        Ok(match arguments.value(0) {
            Value::Array(items) => items.clone().into(),
            _ if arguments.is_truthy(0) => json!([arguments.value(0)]),
            _ => json!([]),
        })
    }),
    deep("before", before),
    deep("eachIndex", |arguments| {
        let items = arguments.items(0).into_iter().enumerate();
        Ok(items
            .map(|(index, item)| json!({"item": item, "index": index}))
            .collect())
    })
    .block(Block::Each),
    helper("equalsLength", has_length),
    deep("filter", filter).block(Block::Each),
    deep("first", |arguments| {
        Ok(match arguments.index(1) {
            Some(count) => slice(arguments.items(0), 0, Some(count)),
            None => arguments.items(0).into_iter().next().unwrap_or_default(),
        })
    }),
    deep("forEach", |arguments| Ok(arguments.items(0).into())).block(Block::Each),
    deep("inArray", |arguments| {
        Ok(arguments
            .items(0)
            .iter()
            .any(|item| compare::is_equal(item, arguments.value(1)))
            .into())
    }),
    helper("isArray", |arguments| {
        Ok(arguments.value(0).is_array().into())
    }),
    helper("isEmpty", |arguments| Ok((length(arguments) == 0).into())),
    helper("itemAt", |arguments| {
        let index = arguments.index(1).unwrap_or(0);
        Ok(match arguments.value(0) {
            Value::Array(items) => item_at(items, index).cloned().unwrap_or_default(),
            _ => item_at(&arguments.items(0), index)
                .cloned()
                .unwrap_or_default(),
        })
    }),
    deep("iterate", |arguments| Ok(arguments.value(0).clone())).block(Block::Each),
    helper("join", join),
    deep("last", last),
    helper("len", |arguments| Ok(length(arguments).into())),
    helper("length", |arguments| Ok(length(arguments).into())),
    helper("lengthEqual", has_length),
    helper("lookup", |arguments| {
        let found = match arguments.value(0) {
            Value::Array(items) => arguments.index(1).and_then(|index| item_at(items, index)),
            other => other.get(arguments.text(1)),
        };
        Ok(found.cloned().unwrap_or_default())
    }),
    deep("map", |arguments| Ok(arguments.items(0).into())),
    deep("pluck", |arguments| {
        let path = arguments.text(1);
        Ok(arguments
            .items(0)
            .iter()
            .filter_map(|item| member(item, &path))
            .cloned()
            .collect())
    }),
    deep("reverse", |arguments| {
        Ok(match arguments.value(0) {
            Value::Array(items) => items.iter().rev().cloned().collect(),
            _ => arguments.text(0).chars().rev().collect::<String>().into(),
        })
    }),
    deep("some", |arguments| {
        let wanted = (arguments.values.len() > 1).then(|| arguments.value(1));
        let items = arguments.items(0);
        let is_match = |item: &Value| match wanted {
            Some(wanted) => is_of_kind(item, wanted) || compare::is_equal(item, wanted),
            None => item.is_truthy(false),
        };
        Ok(items.iter().any(is_match).into())
    }),
    deep("sort", |arguments| Ok(sort(arguments, &[]))),
    deep("sortBy", |arguments| {
        let keys: Vec<_> = (1..arguments.values.len())
            .map(|position| arguments.text(position))
            .collect();
        Ok(sort(arguments, &keys))
    }),
    deep("unique", unique),
    deep("withAfter", |arguments| {
        Ok(slice(
            arguments.items(0),
            arguments.index(1).unwrap_or(0),
            None,
        ))
    })
    .block(Block::Each),
    deep("withBefore", before).block(Block::Each),
    deep("withFirst", |arguments| {
        Ok(slice(
            arguments.items(0),
            0,
            Some(arguments.index(1).unwrap_or(1)),
        ))
    })
    .block(Block::Each),
    deep("withGroup", |arguments| {
        let size = usize::try_from(arguments.index(1).unwrap_or(1).max(1)).unwrap_or(1);
        Ok(arguments
            .items(0)
            .chunks(size)
            .map(|group| Value::from(group.to_vec()))
            .collect())
    })
    .block(Block::Each),
    deep("withLast", |arguments| {
        let items = arguments.items(0);
        let skipped = len_of(&items).saturating_sub(arguments.index(1).unwrap_or(1).abs());
        Ok(slice(items, skipped, None))
    })
    .block(Block::Each),
    deep("withSort", |arguments| {
        let key = arguments.text(1);
        let keys = if key.is_empty() {
            Vec::new()
        } else {
            vec![key]
        };
        Ok(sort(arguments, &keys))
    })
    .block(Block::Each),
];

/// Whether `kind` is the name of a helper or of a type that the item is of, such as `isString`.
fn is_of_kind(item: &Value, kind: &Value) -> bool {
    let kind = kind.as_str().unwrap_or_default();
    let name = kind.strip_prefix("is").unwrap_or(kind);
    name.eq_ignore_ascii_case(type_of(item))
}

fn len_of(items: &[Value]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

fn item_at(items: &[Value], index: i64) -> Option<&Value> {
    let index = if index < 0 {
        len_of(items).saturating_add(index)
    } else {
        index
    };
    usize::try_from(index)
        .ok()
        .and_then(|index| items.get(index))
}

/// JavaScript's `slice`: negative positions count from the end.
fn slice(items: Vec<Value>, start: i64, end: Option<i64>) -> Value {
    let length = len_of(&items);
    let position = |index: i64| {
        let index = if index < 0 {
            length.saturating_add(index)
        } else {
            index
        };
        usize::try_from(index.clamp(0, length)).unwrap_or_default()
    };
    let (start, end) = (position(start), position(end.unwrap_or(length)));
    items
        .get(start..end.max(start))
        .unwrap_or_default()
        .to_vec()
        .into()
}

fn before(arguments: &Arguments<'_>) -> Result<Value, String> {
    let items = arguments.items(0);
    let end = len_of(&items).saturating_sub(arguments.index(1).unwrap_or(0).abs());
    Ok(slice(items, 0, Some(end)))
}

fn last(arguments: &Arguments<'_>) -> Result<Value, String> {
    if let (Value::String(text), false) = (
        arguments.value(0),
        arguments.text(0).trim_start().starts_with('['),
    ) {
        let count =
            usize::try_from(arguments.index(1).unwrap_or(1).unsigned_abs()).unwrap_or_default();
        let skipped = text.chars().count().saturating_sub(count);
        return Ok(text.chars().skip(skipped).collect::<String>().into());
    }

    let items = arguments.items(0);
    Ok(match arguments.index(1) {
        Some(count) => {
            let start = len_of(&items).saturating_sub(count.abs()).max(0);
            slice(items, start, None)
        }
        None => items.into_iter().next_back().unwrap_or_default(),
    })
}

fn filter(arguments: &Arguments<'_>) -> Result<Value, String> {
    let property = [arguments.named("property"), arguments.named("prop")];
    let property = property.iter().find_map(|value| value.as_str());
    let matches = |item: &Value| {
        let candidate = match property {
            Some(path) => member(item, path),
            None => Some(item),
        };
        candidate.is_some_and(|candidate| compare::is_equal(candidate, arguments.value(1)))
    };
    Ok(arguments.items(0).into_iter().filter(matches).collect())
}

fn length(arguments: &Arguments<'_>) -> usize {
    match arguments.value(0) {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn has_length(arguments: &Arguments<'_>) -> Result<Value, String> {
    let wanted = usize::try_from(arguments.index(1).unwrap_or(0)).ok();
    Ok((Some(length(arguments)) == wanted).into())
}

fn join(arguments: &Arguments<'_>) -> Result<Value, String> {
    let separator = match arguments.value(1) {
        Value::Null => ", ".to_owned(),
        other => text_of(other),
    };
    Ok(match arguments.value(0) {
        Value::Array(items) => concat(items.iter().map(text_of), &separator).into(),
        _ => arguments.text(0).into(),
    })
}

/// Joins the parts until the result is too long.
pub(super) fn concat<T: AsRef<str>>(parts: impl IntoIterator<Item = T>, separator: &str) -> String {
    let mut whole = String::new();
    for (number, part) in parts.into_iter().enumerate() {
        if number > 0 {
            whole.push_str(separator);
        }
        whole.push_str(part.as_ref());
        if whole.len() > MAX_OUTPUT_BYTES {
            break;
        }
    }
    whole
}

fn sort(arguments: &Arguments<'_>, keys: &[String]) -> Value {
    let mut items = arguments.items(0);
    let key_of = |item: &Value| -> Vec<String> {
        if keys.is_empty() {
            vec![text_of(item)]
        } else {
            keys.iter()
                .map(|key| member(item, key).map(text_of).unwrap_or_default())
                .collect()
        }
    };

    let numbers = items.iter().all(Value::is_number);
    if numbers {
        items.sort_by(|left, right| {
            compare::order(left, right).unwrap_or(std::cmp::Ordering::Equal)
        });
    } else {
        items.sort_by_cached_key(key_of);
    }
    if arguments.named("reverse").as_bool() == Some(true) {
        items.reverse();
    }
    items.into()
}

fn unique(arguments: &Arguments<'_>) -> Result<Value, String> {
    let mut seen = std::collections::HashSet::new();
    let items = arguments.items(0).into_iter();
    Ok(items.filter(|item| seen.insert(item.to_string())).collect())
}
