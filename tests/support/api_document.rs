//! Validates responses against the server's OpenAPI document.
//!
//! Only what the document uses of JSON Schema is supported; anything else panics, so that nothing
//! is silently accepted.

use pagertree_local::http::openapi;
use regex::Regex;
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

/// The parsed document.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&openapi::document()).expect("the document is JSON"));

/// Response headers of HTTP itself and of CORS, which operations need not list.
const GENERAL_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "content-type",
    "date",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
];

/// A response to validate.
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: &'a [u8],
}

impl Exchange<'_> {
    /// Panics with every difference between the response and the document.
    #[track_caller]
    pub(crate) fn assert_documented(&self) {
        let errors = self.errors();
        assert!(
            errors.is_empty(),
            "{} {} answered {} in a way that the OpenAPI document does not describe; update \
             src/http/openapi: {errors:#?}\n{}",
            self.method,
            self.target,
            self.status,
            String::from_utf8_lossy(self.body)
        );
    }

    fn errors(&self) -> Vec<String> {
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        let method = match self.method {
            "HEAD" => "get".to_owned(),
            other => other.to_ascii_lowercase(),
        };
        if method == "options" {
            return Vec::new();
        }

        let operation = path_item(path).and_then(|item| item.get(&method));
        let Some(operation) = operation else {
            // No such route, or not with this method.
            return match self.status {
                400..=599 => self.body_errors(&schema("Errors"), query),
                _ => vec!["there is no such operation".to_owned()],
            };
        };

        let Some(response) = operation["responses"].get(self.status.to_string()) else {
            return vec![format!("status {} is not documented", self.status)];
        };

        let response = resolve(response);
        let mut errors = self.header_errors(response);
        let is_json = self.header("content-type") == Some("application/json");
        match response
            .get("content")
            .and_then(|content| content.get("application/json"))
        {
            Some(media) if is_json => errors.extend(self.body_errors(&media["schema"], query)),
            _ => errors.extend(self.media_type_error(response)),
        }
        errors
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn header_errors(&self, response: &Value) -> Vec<String> {
        let documented = response["headers"].as_object().cloned().unwrap_or_default();
        let mut errors = Vec::new();
        for (name, header) in &documented {
            let header = resolve(header);
            match self.header(&name.to_ascii_lowercase()) {
                Some(value) => {
                    let value = match header["schema"]["type"].as_str() {
                        Some("integer") => serde_json::from_str(value).unwrap_or(Value::Null),
                        _ => Value::from(value),
                    };
                    validate(
                        &header["schema"],
                        &value,
                        &format!("header {name}"),
                        "",
                        &mut errors,
                    );
                }
                None if header["required"] == true => {
                    errors.push(format!("the header {name} is missing"));
                }
                None => {}
            }
        }

        let is_documented = |name: &str| {
            GENERAL_HEADERS.contains(&name)
                || name.starts_with("access-control-")
                || documented
                    .keys()
                    .any(|known| known.eq_ignore_ascii_case(name))
        };
        let unknown = self.headers.iter().filter(|(name, _)| !is_documented(name));
        errors.extend(unknown.map(|(name, _)| format!("the header {name} is not documented")));
        errors
    }

    /// The body of a HEAD request is empty, and so are some errors.
    fn body_errors(&self, schema: &Value, query: &str) -> Vec<String> {
        if self.body.is_empty() {
            return Vec::new();
        }
        let Ok(body) = serde_json::from_slice(self.body) else {
            return vec!["the body is not JSON".to_owned()];
        };
        let mut errors = Vec::new();
        validate(schema, &body, "body", query, &mut errors);
        errors
    }

    fn media_type_error(&self, response: &Value) -> Option<String> {
        if self.body.is_empty() || response["x-any-content"] == true {
            return None;
        }
        let given = self.header("content-type").unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default();
        let known = response.get("content").and_then(Value::as_object);
        let is_known =
            known.is_some_and(|known| known.keys().any(|key| key == "*/*" || key == essence));
        (!is_known).then(|| format!("the media type '{given}' is not documented"))
    }
}

/// The path item of a path. Literal segments have precedence over parameters.
fn path_item(path: &str) -> Option<&'static Map<String, Value>> {
    let segments = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let mut given = segments(path);
    // Any operation in the account of a name is documented as the operation.
    if let [local, word, _, _, ..] = given.as_slice()
        && (local.as_str(), word.as_str()) == ("_local", "as")
    {
        given.drain(..3);
    }
    let paths = DOCUMENT["paths"].as_object()?;

    let matching = paths.iter().filter_map(|(template, item)| {
        let template = segments(template);
        let fits = template.len() == given.len()
            && template
                .iter()
                .zip(&given)
                .all(|(known, given)| known.starts_with('{') || known == given);
        let parameters = template.iter().filter(|part| part.starts_with('{')).count();
        fits.then_some((parameters, item))
    });
    matching
        .min_by_key(|(parameters, _)| *parameters)?
        .1
        .as_object()
}

fn schema(name: &str) -> Value {
    DOCUMENT["components"]["schemas"][name].clone()
}

/// Follows a reference.
pub(crate) fn resolve(value: &Value) -> &Value {
    let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
        return value;
    };
    let pointer = reference.strip_prefix('#').expect("references are local");
    let found = DOCUMENT.pointer(pointer);
    resolve(found.unwrap_or_else(|| panic!("'{reference}' leads nowhere")))
}

/// Keywords that describe, and do not restrict a response.
const ANNOTATIONS: [&str; 3] = ["description", "default", "x-query-parameter"];

/// Adds every violation of the schema to `errors`.
pub(crate) fn validate(
    schema: &Value,
    value: &Value,
    place: &str,
    query: &str,
    errors: &mut Vec<String>,
) {
    let schema = resolve(schema);
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        match keyword.as_str() {
            "type" if !has_type(rule, value) => {
                errors.push(format!("{place} must be {rule}, but is {value}"));
            }
            "enum" if !rule.as_array().unwrap().contains(value) => {
                errors.push(format!("{place} must be one of {rule}, but is {value}"));
            }
            "anyOf" => any_of(rule, value, place, query, errors),
            "properties" | "required" | "additionalProperties" => {
                if let Value::Object(members) = value {
                    object(keyword, rule, schema, members, place, query, errors);
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    validate(rule, item, &format!("{place}[{index}]"), query, errors);
                }
            }
            "type" | "enum" => {}
            keyword if ANNOTATIONS.contains(&keyword) => {}
            keyword => {
                if !is_within(keyword, rule, value) {
                    errors.push(format!("{place} violates {keyword} {rule}: {value}"));
                }
            }
        }
    }
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let fits = |name: &str| match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_))
        | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => number.is_i64() || number.is_u64(),
        _ => false,
    };
    match rule {
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(fits),
        name => fits(name.as_str().unwrap()),
    }
}

/// A branch for a query parameter counts only where the request has the parameter.
fn any_of(rule: &Value, value: &Value, place: &str, query: &str, errors: &mut Vec<String>) {
    let has_parameter = |schema: &Value| {
        let needed = resolve(schema)
            .get("x-query-parameter")
            .and_then(Value::as_str);
        needed.is_none_or(|name| {
            form_urlencoded::parse(query.as_bytes()).any(|(known, _)| known == name)
        })
    };
    let branches: Vec<_> = rule.as_array().unwrap().iter().collect();
    let mut found = Vec::new();
    for branch in branches.into_iter().filter(|branch| has_parameter(branch)) {
        let mut own = Vec::new();
        validate(branch, value, place, query, &mut own);
        if own.is_empty() {
            return;
        }
        found = own;
    }
    errors.extend(found);
}

fn object(
    keyword: &str,
    rule: &Value,
    schema: &Value,
    members: &Map<String, Value>,
    place: &str,
    query: &str,
    errors: &mut Vec<String>,
) {
    let known = |name: &str| schema["properties"].get(name).is_some();
    match keyword {
        "properties" => {
            for (name, rule) in rule.as_object().unwrap() {
                if let Some(value) = members.get(name) {
                    validate(rule, value, &format!("{place}.{name}"), query, errors);
                }
            }
        }
        "required" => {
            let names = rule.as_array().unwrap().iter().filter_map(Value::as_str);
            let missing = names.filter(|name| !members.contains_key(*name));
            errors.extend(missing.map(|name| format!("{place}.{name} is missing")));
        }
        _ => {
            for (name, value) in members.iter().filter(|(name, _)| !known(name)) {
                match rule {
                    Value::Bool(true) => {}
                    Value::Bool(false) => errors.push(format!("{place}.{name} is not documented")),
                    rule => validate(rule, value, &format!("{place}.{name}"), query, errors),
                }
            }
        }
    }
}

fn is_within(keyword: &str, rule: &Value, value: &Value) -> bool {
    let limit = || rule.as_f64().unwrap();
    match (keyword, value) {
        ("minLength", Value::String(text)) => text.chars().count() as f64 >= limit(),
        ("maxLength", Value::String(text)) => text.chars().count() as f64 <= limit(),
        ("minItems", Value::Array(items)) => items.len() as f64 >= limit(),
        ("maxItems", Value::Array(items)) => items.len() as f64 <= limit(),
        ("minimum", Value::Number(number)) => number.as_f64().unwrap() >= limit(),
        ("maximum", Value::Number(number)) => number.as_f64().unwrap() <= limit(),
        ("pattern", Value::String(text)) => pattern(rule.as_str().unwrap()).is_match(text),
        ("format", Value::String(text)) => match rule.as_str().unwrap() {
            "date-time" => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
            other => panic!("the validator does not know the format '{other}'"),
        },
        (
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minimum" | "maximum" | "pattern"
            | "format",
            _,
        ) => true,
        (other, _) => panic!("the validator does not know the keyword '{other}'"),
    }
}

/// Patterns are compiled once.
fn pattern(text: &str) -> Regex {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap();
    let found = compiled
        .entry(text.to_owned())
        .or_insert_with(|| Regex::new(text).unwrap());
    found.clone()
}
