//! What a third party sent, as adapters look at it.

use super::{
    charset,
    event_body::{self, Manner, Unreadable},
    field::Field,
    nesting,
};
use crate::domain::body::Strictness;
use serde_json::Value;
use std::borrow::Cow;

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

/// A request, with its parameters read: those of the query, and over them those of the body, be it
/// JSON or a form.
#[derive(Clone, Debug)]
pub struct Delivery {
    parts: DeliveryParts,
    parameters: Value,
    unreadable: Option<Unreadable>,
}

/// So many events of one request are told apart.
const MAX_EVENTS: usize = 100;

/// Types that look at a list of events themselves, or whose senders sign the body as a whole.
const WHOLE: [&str; 6] = [
    "crowdstrike",
    "custom_webhook",
    "email",
    "hetrix_tools",
    "meta_workplace",
    "sentry",
];

impl Delivery {
    /// Reads a request as one event. What cannot be read has no parameters.
    pub fn new(parts: DeliveryParts) -> Self {
        Self::read(parts, false).0
    }

    /// Reads a request to an integration of this type: its event, and behind it the others, in the
    /// rare case that there are several. Each is a request of its own then, as if it had been sent
    /// alone.
    pub fn each(parts: DeliveryParts, integration_type: &str) -> (Self, Vec<Self>) {
        let (first, mut further) = Self::read(parts, !WHOLE.contains(&integration_type));
        if further.is_empty() {
            return (first, Vec::new());
        }

        let left_out = further.split_off(further.len().min(MAX_EVENTS.saturating_sub(1)));
        let mut events: Vec<_> = further
            .into_iter()
            .map(|event| first.alone(event))
            .collect();

        if !left_out.is_empty() {
            let reason = format!(
                "{} events of this request were not read, since it has more than {MAX_EVENTS}",
                left_out.len()
            );
            let unreadable = Some(Unreadable {
                reason,
                is_plain_text: false,
            });

            events.push(Self {
                unreadable,
                ..first.alone(Value::Array(left_out))
            });
        }

        (first.alone(first.parameters.clone()), events)
    }

    fn read(parts: DeliveryParts, splits: bool) -> (Self, Vec<Value>) {
        let content_type = header(&parts, "content-type").unwrap_or_default();
        let is_strict = parts.strictness == Strictness::Strict;
        let text = charset::decode(&parts.body, content_type);
        let body = event_body::read(
            &text,
            &parts.body,
            Manner {
                content_type,
                is_strict,
                splits,
            },
        );
        let mut parameters = nesting::object(event_body::pairs(parts.query.as_bytes(), None));
        parameters.extend(nesting::object(parts.fields.iter().cloned()));
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

    /// One of several events of this request.
    fn alone(&self, event: Value) -> Self {
        // Not a copy of all parts: the body, of which this is one event, would be copied for each
        // of them.
        let DeliveryParts {
            method,
            query,
            headers,
            strictness,
            fields: _,
            body: _,
        } = &self.parts;
        let parts = DeliveryParts {
            method: method.clone(),
            query: query.clone(),
            headers: headers.clone(),
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

    /// Why nothing can be read of the body, if so.
    pub(super) fn unreadable(&self) -> Option<&Unreadable> {
        self.unreadable.as_ref()
    }

    /// The body as text.
    pub fn text(&self) -> Cow<'_, str> {
        charset::decode(
            &self.parts.body,
            self.header("content-type").unwrap_or_default(),
        )
    }

    /// Everything that was sent.
    pub fn parts(&self) -> &DeliveryParts {
        &self.parts
    }

    /// All parameters, an object.
    pub fn parameters(&self) -> &Value {
        &self.parameters
    }

    /// Whether it is read to the letter, as PagerTree reads it, so that what is lost there is lost
    /// here too.
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
    parts
        .headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(kind: &str, query: &str, body: &str) -> String {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        let parts = DeliveryParts {
            query: query.into(),
            headers,
            body: body.into(),
            ..DeliveryParts::default()
        };
        Delivery::new(parts).parameters().to_string()
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
