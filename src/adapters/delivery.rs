//! What a third party sent, as adapters look at it.

use super::{field::Field, nesting};
use crate::domain::{body::Strictness, reserved};
use serde_json::{Map, Value};

/// The parts of a request.
#[derive(Clone, Debug, Default)]
pub struct DeliveryParts {
    /// `POST`, `GET`.
    pub method: String,
    /// As it stands behind the `?`.
    pub query: String,
    /// Names in lower case, and values, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// Fields of a multipart body.
    pub fields: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// Whether it is read to the letter, as PagerTree reads it, or as its vendor means it.
    pub strictness: Strictness,
}

impl DeliveryParts {
    /// The body without the byte order mark that some programs begin a text with, and that is no part of it.
    pub(super) fn text(&self) -> &[u8] {
        self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body)
    }
}

/// A request, with its parameters read: those of the query, and over them those of the body, be it JSON or a form.
#[derive(Clone, Debug)]
pub struct Delivery {
    parts: DeliveryParts,
    parameters: Value,
}

/// Under this name stands a JSON body that is no object.
const WHOLE_BODY: &str = "_json";

impl Delivery {
    /// Reads the parameters. What cannot be read has none.
    pub fn new(parts: DeliveryParts) -> Self {
        let mut parameters = nesting::object(form_urlencoded::parse(parts.query.as_bytes()).into_owned());
        parameters.extend(nesting::object(parts.fields.iter().cloned()));
        parameters.extend(parameters_of_body(&parts));
        Self { parts, parameters: Value::Object(parameters) }
    }

    /// Everything that was sent.
    pub fn parts(&self) -> &DeliveryParts {
        &self.parts
    }

    /// All parameters, an object.
    pub fn parameters(&self) -> &Value {
        &self.parameters
    }

    /// Whether it is read to the letter, as PagerTree reads it, so that what is lost there is lost here too.
    pub(super) fn is_strict(&self) -> bool {
        self.parts.strictness == Strictness::Strict
    }

    pub(super) fn all(&self) -> Field<'_> {
        Field::new(Some(&self.parameters))
    }

    /// One parameter.
    pub(super) fn get(&self, name: &str) -> Field<'_> {
        self.all().get(name)
    }

    /// The parameter at the end of a path of names.
    pub(super) fn dig<const N: usize>(&self, path: [&str; N]) -> Field<'_> {
        self.all().dig(path)
    }

    /// A header; its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.parts, name)
    }
}

fn header<'a>(parts: &'a DeliveryParts, name: &str) -> Option<&'a str> {
    parts.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Vendors often say that JSON is text or a form, so a body that is JSON is read as that whatever it says to be.
fn parameters_of_body(parts: &DeliveryParts) -> Map<String, Value> {
    let body = parts.text().trim_ascii();
    if matches!(body.first(), Some(b'{' | b'[')) && !reserved::has_reserved_name(body) {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => return members,
            Ok(other) => return Map::from_iter([(WHOLE_BODY.to_owned(), other)]),
            Err(_) => {}
        }
    }
    let kind = header(parts, "content-type").unwrap_or_default();
    if kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return nesting::object(form_urlencoded::parse(body).into_owned());
    }
    Map::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(kind: &str, query: &str, body: &str) -> String {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        let parts = DeliveryParts { query: query.into(), headers, body: body.into(), ..DeliveryParts::default() };
        Delivery::new(parts).parameters().to_string()
    }

    #[test]
    fn parameters_come_from_the_query_and_over_it_from_the_body() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        for (kind, query, body, expected) in [
            ("application/json", "a=1&b=%20x", r#"{"a":2}"#, r#"{"a":2,"b":" x"}"#),
            ("text/plain; charset=UTF-8", "", r#" {"a":[1.50]}"#, r#"{"a":[1.50]}"#),
            (form, "", "a=1&b=x+y", r#"{"a":"1","b":"x y"}"#),
            (form, "b[]=1", "a[x]=1", r#"{"b":["1"],"a":{"x":"1"}}"#),
            (form, "", r#"{"a":1}"#, r#"{"a":1}"#),
            ("application/json", "", "\u{feff}{\"a\":1}", r#"{"a":1}"#),
            (form, "", "\u{feff}a=1", r#"{"a":"1"}"#),
            ("application/json", "", "[1]", r#"{"_json":[1]}"#),
            ("application/json", "q=1", "{broken", r#"{"q":"1"}"#),
            ("application/json", "", r#"{"$serde_json::private::Number":"x"}"#, "{}"),
            ("", "", "\u{0}\u{ff}", "{}"),
        ] {
            assert_eq!(parameters(kind, query, body), expected);
        }
    }
}
