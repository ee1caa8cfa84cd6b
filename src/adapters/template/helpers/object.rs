//! Helpers for objects and JSON.

use super::{
    Block, HelperDefinition,
    arguments::{Arguments, member},
    deep, helper,
};
use crate::domain::reserved;
use serde_json::{Map, Value};

pub(super) const HELPERS: &[HelperDefinition] = &[
    helper("JSONparse", parse).block(Block::Context),
    deep("JSONstringify", stringify),
    deep("extend", merge),
    deep("forIn", |arguments| Ok(arguments.value(0).clone())).block(Block::Each),
    deep("forOwn", |arguments| Ok(arguments.value(0).clone())).block(Block::Each),
    helper("get", |arguments| {
        Ok(member(arguments.value(1), &arguments.text(0))
            .cloned()
            .unwrap_or_default())
    })
    .block(Block::Context),
    helper("getObject", |arguments| {
        Ok(pick(arguments.value(1), [arguments.text(0)]))
    }),
    helper("hasOwn", |arguments| {
        Ok(arguments.value(0).get(arguments.text(1)).is_some().into())
    }),
    helper("isObject", |arguments| {
        Ok(arguments.value(0).is_object().into())
    }),
    helper("isString", |arguments| {
        Ok(arguments.value(0).is_string().into())
    }),
    deep("merge", merge),
    helper("option", |arguments| {
        Ok(arguments
            .value(1)
            .get(arguments.text(0))
            .cloned()
            .unwrap_or_default())
    }),
    helper("parseJSON", parse).block(Block::Context),
    helper("pick", |arguments| {
        let names = match arguments.value(0) {
            Value::Array(names) => names.iter().map(super::text_of).collect(),
            _ => vec![arguments.text(0)],
        };
        Ok(pick(arguments.value(1), names))
    })
    .block(Block::Context),
    deep("stringify", stringify),
    helper("toPath", |arguments| {
        let names: Vec<_> = (0..arguments.values.len())
            .map(|position| arguments.text(position))
            .collect();
        Ok(names.join(".").into())
    }),
    helper("typeOf", |arguments| Ok(type_of(arguments.value(0)).into())),
];

fn parse(arguments: &Arguments<'_>) -> Result<Value, String> {
    let text = arguments.text(0);
    if reserved::has_reserved_name(text.as_bytes()) {
        return Err(format!(
            "a name begins with the reserved prefix '{}'",
            reserved::PREFIX
        ));
    }
    serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}"))
}

fn stringify(arguments: &Arguments<'_>) -> Result<Value, String> {
    let value = arguments.value(0);
    let text = match arguments.index(1) {
        Some(indent) if indent > 0 => serde_json::to_string_pretty(value),
        _ => serde_json::to_string(value),
    };
    text.map(Value::from).map_err(|error| error.to_string())
}

fn merge(arguments: &Arguments<'_>) -> Result<Value, String> {
    let mut merged = Map::new();
    for object in arguments
        .values
        .iter()
        .filter_map(|value| value.as_object())
    {
        merged.extend(object.clone());
    }
    merged.extend(
        arguments
            .hash
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).clone())),
    );
    Ok(merged.into())
}

fn pick(object: &Value, names: impl IntoIterator<Item = String>) -> Value {
    let members = names
        .into_iter()
        .filter_map(|name| Some((name.clone(), member(object, &name)?.clone())));
    Value::Object(members.collect())
}

/// The kind of a value, as the JavaScript library `kind-of` names it.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "undefined",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
