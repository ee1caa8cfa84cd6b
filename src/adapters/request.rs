//! A request of a third party, with its parameters parsed.

use super::{
    charset,
    event_body::{self, Batches, BodyFormat, Unreadable},
    field::Field,
    nested_params,
};
use crate::domain::{body::Strictness, timestamp::Timestamp};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The raw parts of a request.
#[derive(Clone, Debug, Default)]
pub struct RequestParts {
    /// `POST`, `GET`.
    pub method: String,
    /// The query string, without the `?`.
    pub query: String,
    /// Names in lower case, and values, in their original order.
    pub headers: Vec<(String, String)>,
    /// Fields of a multipart body.
    pub fields: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// The URL of the request, as the client sees it. Empty unless the options of the integration
    /// may show it.
    pub url: String,
    /// The address of the client.
    pub remote_ip: Option<String>,
    /// When the request arrived.
    pub received_at: Option<Timestamp>,
    /// Whether to parse exactly as PagerTree does, or more leniently.
    pub strictness: Strictness,
}

impl RequestParts {
    /// A header; its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A request and its parameters. Those of the body, JSON or a form, take precedence over those of
/// the query.
#[derive(Clone, Debug)]
pub struct InboundRequest {
    parts: RequestParts,
    parameters: Value,
    unreadable: Option<Unreadable>,
}

/// Events of one request that are processed.
const MAX_EVENTS: usize = 100;

impl InboundRequest {
    /// Parses a request as one event. An unreadable body has no parameters.
    pub fn new(parts: RequestParts) -> Self {
        Self::parse(parts, Batches::Whole).0
    }

    /// Parses a request. If its body has several events, each becomes a request of its own, as if it
    /// had been sent alone: the first, and the others.
    pub(super) fn split(parts: RequestParts, batches: Batches) -> (Self, Vec<Self>) {
        let (first, mut further) = Self::parse(parts, batches);
        if further.is_empty() {
            return (first, Vec::new());
        }

        let left_out = further.split_off(further.len().min(MAX_EVENTS.saturating_sub(1)));
        let mut events: Vec<_> = further
            .into_iter()
            .map(|event| first.with_event(event))
            .collect();

        if !left_out.is_empty() {
            let reason = format!(
                "skipped {} events: a request may have {MAX_EVENTS}",
                left_out.len()
            );
            let unreadable = Some(Unreadable {
                reason,
                is_plain_text: false,
            });

            events.push(Self {
                unreadable,
                ..first.with_event(Value::Array(left_out))
            });
        }

        (first.with_event(first.parameters.clone()), events)
    }

    fn parse(parts: RequestParts, batches: Batches) -> (Self, Vec<Value>) {
        let content_type = parts.header("content-type").unwrap_or_default();
        let is_strict = parts.strictness == Strictness::Strict;
        let text = charset::decode(&parts.body, content_type);
        let body = event_body::parse(
            &text,
            &parts.body,
            BodyFormat {
                content_type,
                is_strict,
                batches,
            },
        );
        let mut parameters =
            nested_params::parse(event_body::form::pairs(parts.query.as_bytes(), None));
        parameters.extend(nested_params::parse(parts.fields.iter().cloned()));
        parameters.extend(body.members);
        drop(text);

        (
            Self {
                parts,
                parameters: Value::Object(parameters),
                unreadable: body.unreadable,
            },
            body.further,
        )
    }

    /// The same request with one of its events as the body.
    fn with_event(&self, event: Value) -> Self {
        // Cloning all parts would copy the whole body for each of its events.
        let RequestParts {
            method,
            query,
            headers,
            url,
            remote_ip,
            received_at,
            strictness,
            fields: _,
            body: _,
        } = &self.parts;
        let parts = RequestParts {
            method: method.clone(),
            query: query.clone(),
            headers: headers.clone(),
            url: url.clone(),
            remote_ip: remote_ip.clone(),
            received_at: *received_at,
            fields: Vec::new(),
            body: event.to_string().into_bytes(),
            strictness: *strictness,
        };

        Self {
            parts,
            parameters: event,
            unreadable: None,
        }
    }

    /// Why the body is unreadable, if it is.
    pub(super) fn unreadable(&self) -> Option<&Unreadable> {
        self.unreadable.as_ref()
    }

    /// The body, decoded.
    pub fn text(&self) -> Cow<'_, str> {
        charset::decode(
            &self.parts.body,
            self.header("content-type").unwrap_or_default(),
        )
    }

    /// The raw parts.
    pub fn parts(&self) -> &RequestParts {
        &self.parts
    }

    /// When the request arrived.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.parts
            .received_at
            .and_then(|at| DateTime::from_timestamp_millis(at.millis()))
            .unwrap_or_default()
    }

    /// The request as rules and templates see it. Source: PagerTree's guide to custom webhooks.
    pub(super) fn log(&self) -> Value {
        let (parts, body) = (&self.parts, self.text());
        let has_parameters = self.all().members().next().is_some();
        let data = if has_parameters {
            self.parameters.clone()
        } else {
            body.as_ref().into()
        };

        let headers = parts.headers.iter().flat_map(|(name, value)| {
            let value = || Value::from(value.as_str());
            [(name.clone(), value()), (title_case(name), value())]
        });

        json!({
            "data": data,
            "params": self.parameters,
            "headers": headers.collect::<Map<_, _>>(),
            "body": body,
            "method": parts.method,
            "url": parts.url,
            "remote_ip": parts.remote_ip,
        })
    }

    /// The parameters, without the request.
    pub fn into_parameters(self) -> Value {
        self.parameters
    }

    /// All parameters, as a JSON object.
    pub fn parameters(&self) -> &Value {
        &self.parameters
    }

    /// Whether to parse exactly as PagerTree does, so that it loses the same events.
    pub(super) fn is_strict(&self) -> bool {
        self.parts.strictness == Strictness::Strict
    }

    pub(super) fn all(&self) -> Field<'_> {
        Field::new(Some(&self.parameters))
    }

    /// The parameter `name`.
    pub(super) fn get(&self, name: &str) -> Field<'_> {
        self.all().get(name)
    }

    /// The parameter at the end of a path of names.
    pub(super) fn dig<const N: usize>(&self, path: [&str; N]) -> Field<'_> {
        self.all().dig(path)
    }

    /// A header; its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.parts.header(name)
    }
}

/// Converts `content-type` to `Content-Type`.
fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(kind: &str, query: &str, body: &str) -> String {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        let parts = RequestParts {
            query: query.into(),
            headers,
            body: body.into(),
            ..RequestParts::default()
        };
        InboundRequest::new(parts).parameters().to_string()
    }

    #[test]
    fn parameters_come_from_the_query_and_over_it_from_the_body() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        for (kind, query, body, expected) in [
            (
                "application/json",
                "a=1&b=%20x",
                r#"{"a":2}"#,
                r#"{"a":2,"b":" x"}"#,
            ),
            (
                "text/plain; charset=UTF-8",
                "",
                r#" {"a":[1.50]}"#,
                r#"{"a":[1.50]}"#,
            ),
            (form, "", "a=1&b=x+y", r#"{"a":"1","b":"x y"}"#),
            (form, "b[]=1", "a[x]=1", r#"{"b":["1"],"a":{"x":"1"}}"#),
            (form, "", r#"{"a":1}"#, r#"{"a":1}"#),
            ("application/json", "", "\u{feff}{\"a\":1}", r#"{"a":1}"#),
            (form, "", "\u{feff}a=1", r#"{"a":"1"}"#),
            ("application/json", "", "[1]", r#"{"_json":[1]}"#),
            ("application/json", "q=1", "{broken", r#"{"q":"1"}"#),
            (
                "application/json",
                "",
                r#"{"$serde_json::private::Number":"x"}"#,
                "{}",
            ),
            ("", "", "\u{0}\u{ff}", "{}"),
        ] {
            assert_eq!(parameters(kind, query, body), expected);
        }
    }
}
