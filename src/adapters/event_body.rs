//! What a body says, whatever it claims to be: JSON, a form, several events at once, or nothing
//! that can be read.
//!
//! Vendors often say that JSON is text or a form, and write JSON that is none. To the letter, a
//! body is read only if it is what its vendor's documents say.

use super::{charset, lenient_json, nested_params};
use crate::domain::reserved;
use encoding_rs::Encoding;
use serde_json::{Map, Value};

/// What there is to a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EventBody {
    /// The parameters.
    pub(super) members: Map<String, Value>,
    /// Further events behind the first, as in JSON lines or an array of objects.
    pub(super) further: Vec<Value>,
    /// Why nothing can be read.
    pub(super) unreadable: Option<Unreadable>,
}

/// Why nothing can be read of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// In a sentence.
    pub(super) reason: String,
    /// Whether it is a text that does not even look like something else, and may be meant as that.
    pub(super) is_plain_text: bool,
}

impl Unreadable {
    fn malformed(reason: String) -> Self {
        Self {
            reason,
            is_plain_text: false,
        }
    }
}

/// How a body is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyFormat<'a> {
    pub(super) content_type: &'a str,
    /// Nothing is forgiven.
    pub(super) is_strict: bool,
    /// A list of events is several events, and not one that has a list.
    pub(super) splits: bool,
}

/// Under this name stands a JSON body that is no object.
const WHOLE_BODY: &str = "_json";
/// Fields of forms in which some senders put all of their JSON.
const WRAPPERS: [&str; 2] = ["payload", "data"];

/// Reads a body that was decoded.
pub(super) fn parse(text: &str, bytes: &[u8], format: BodyFormat<'_>) -> EventBody {
    let trimmed =
        text.trim_matches(|character: char| character.is_whitespace() || character == '\0');
    let claims = |kind: &str| {
        format
            .content_type
            .trim_start()
            .to_ascii_lowercase()
            .starts_with(kind)
    };

    if trimmed.is_empty() || claims("multipart/") || claims("message/") {
        return EventBody::default();
    }

    let says_form = claims("application/x-www-form-urlencoded");
    let looks_like_json = trimmed.starts_with(['{', '[', '"']);
    if !looks_like_json && (says_form || (!format.is_strict && looks_like_form(trimmed))) {
        return form(bytes, text, format);
    }

    if reserved::has_reserved_name(trimmed.as_bytes()) {
        let sentence = format!(
            "a name in the body begins with '{}', which cannot be kept",
            reserved::PREFIX
        );
        return unreadable(Unreadable::malformed(sentence));
    }

    match json(trimmed, format.is_strict) {
        Ok(values) => of_values(values, format),
        Err(_) if says_form && !looks_like_json => form(bytes, text, format),
        Err(fault) if looks_like_json || claims("application/json") => {
            unreadable(Unreadable::malformed(format!("not JSON: {fault}")))
        }
        Err(_) => unreadable(Unreadable {
            reason: "the body is neither JSON nor a form".to_owned(),
            is_plain_text: true,
        }),
    }
}

fn unreadable(unreadable: Unreadable) -> EventBody {
    EventBody {
        unreadable: Some(unreadable),
        ..EventBody::default()
    }
}

fn json(text: &str, is_strict: bool) -> Result<Vec<Value>, String> {
    let value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(error) if is_strict => return Err(error.to_string()),
        Err(_) => return lenient_json::values(text).map_err(|fault| fault.to_string()),
    };

    match value {
        // JSON in a string of JSON.
        Value::String(inner) if !is_strict && inner.trim_start().starts_with(['{', '[']) => {
            if reserved::has_reserved_name(inner.as_bytes()) {
                return Err(format!(
                    "a name in it begins with '{}', which cannot be kept",
                    reserved::PREFIX
                ));
            }
            lenient_json::values(&inner).map_err(|fault| fault.to_string())
        }
        value => Ok(vec![value]),
    }
}

/// Values that stand one after the other, or an array of nothing but objects, are an event each.
fn of_values(values: Vec<Value>, format: BodyFormat<'_>) -> EventBody {
    let is_list_of_events = |value: &Value| {
        value
            .as_array()
            .is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
    };

    let splits = format.splits && !format.is_strict;
    let mut values = match <[Value; 1]>::try_from(values) {
        Ok([list]) if splits && is_list_of_events(&list) => match list {
            Value::Array(items) => items,
            other => vec![other],
        },
        Ok([value]) => vec![value],
        Err(several) if splits => several,
        Err(several) => vec![Value::Array(several)],
    }
    .into_iter();
    let members = match values.next() {
        Some(Value::Object(members)) => members,
        Some(other) => Map::from_iter([(WHOLE_BODY.to_owned(), other)]),
        None => Map::new(),
    };

    EventBody {
        members,
        further: values.collect(),
        unreadable: None,
    }
}

/// Whether a text that says nothing of itself is a form: one line of pairs, whose names are words.
fn looks_like_form(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'_' | b'-' | b'.' | b'%' | b'[' | b']' | b'+')
            })
    };
    !text.contains(['\n', '\r', ' ', '<'])
        && text
            .split('&')
            .all(|pair| pair.split_once('=').is_some_and(|(name, _)| is_name(name)))
}

fn form(bytes: &[u8], text: &str, format: BodyFormat<'_>) -> EventBody {
    let named = charset::named(format.content_type);
    // A text of UTF-16 has no escapes of its own bytes.
    let escaped = if bytes.starts_with(&[0xff]) || bytes.starts_with(&[0xfe]) || bytes.contains(&0)
    {
        text.as_bytes()
    } else {
        bytes
    };

    let escaped = escaped
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(escaped)
        .trim_ascii();
    let members = nested_params::parse(pairs(escaped, named));
    let wrapped = WRAPPERS
        .iter()
        .filter(|_| !format.is_strict)
        .find_map(|name| {
            let inner = members.get(*name)?.as_str()?.trim();
            let parsed = inner.starts_with('{') && !reserved::has_reserved_name(inner.as_bytes());
            parsed.then(|| lenient_json::values(inner).ok()).flatten()
        });

    match wrapped {
        Some(values) => {
            let mut body = of_values(
                values,
                BodyFormat {
                    splits: false,
                    ..format
                },
            );
            for (name, value) in members {
                body.members.entry(name).or_insert(value);
            }
            body
        }
        None => EventBody {
            members,
            ..EventBody::default()
        },
    }
}

/// The pairs of a form, with their escapes decoded in its charset.
pub(super) fn pairs(
    form: &[u8],
    named: Option<&'static Encoding>,
) -> impl Iterator<Item = (String, String)> {
    form.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(move |pair| {
            let middle = pair
                .iter()
                .position(|byte| *byte == b'=')
                .unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(middle).unwrap_or((pair, b""));
            let value = value.strip_prefix(b"=").unwrap_or(value);
            (unescaped(name, named), unescaped(value, named))
        })
}

fn unescaped(text: &[u8], named: Option<&'static Encoding>) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .first_chunk::<2>()
            .filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let escape = digits
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());

        bytes.push(match (escape, first) {
            (Some(byte), _) => byte,
            (None, b'+') => b' ',
            (None, other) => *other,
        });

        rest = if escape.is_some() {
            behind.get(2..).unwrap_or_default()
        } else {
            behind
        };
    }

    charset::decode_as(&bytes, named).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kind: &str, text: &str, is_strict: bool) -> EventBody {
        parse(
            text,
            text.as_bytes(),
            BodyFormat {
                content_type: kind,
                is_strict,
                splits: true,
            },
        )
    }

    fn members(kind: &str, text: &str) -> String {
        let EventBody {
            members,
            unreadable,
            ..
        } = body(kind, text, false);
        unreadable.map_or_else(
            || Value::Object(members).to_string(),
            |unreadable| unreadable.reason,
        )
    }

    #[test]
    fn a_body_is_read_whatever_it_claims_to_be() {
        let (json, form) = ("application/json", "application/x-www-form-urlencoded");
        for (kind, text, expected) in [
            (json, "{\"a\":\"x\ny\"}", r#"{"a":"x\ny"}"#),
            (json, r#"{"a":1,}"#, r#"{"a":1}"#),
            (form, r#"{"a":1,}"#, r#"{"a":1}"#),
            ("", r#"{"a":NaN}"#, r#"{"a":null}"#),
            (json, r#""{\"a\": 1}""#, r#"{"a":1}"#),
            (json, "a=1&b%5Bc%5D=x+y", r#"{"a":"1","b":{"c":"x y"}}"#),
            ("", "a=1&b=2", r#"{"a":"1","b":"2"}"#),
            (
                form,
                "payload=%7B%22a%22%3A1%7D",
                r#"{"a":1,"payload":"{\"a\":1}"}"#,
            ),
            (
                form,
                "data={\"a\":1}&b=2",
                r#"{"a":1,"data":"{\"a\":1}","b":"2"}"#,
            ),
            (
                form,
                "a=K%FChlhaus&b=%E2%82%AC",
                r#"{"a":"Kühlhaus","b":"€"}"#,
            ),
            (
                "application/x-www-form-urlencoded; charset=iso-8859-15",
                "a=%A4",
                r#"{"a":"€"}"#,
            ),
            (json, "[1]", r#"{"_json":[1]}"#),
            (json, "", "{}"),
            ("message/rfc822", "Subject: a=b", "{}"),
            (
                json,
                "hello",
                "not JSON: line 1, column 1, no object and no array",
            ),
            (
                json,
                "{\"a\": \"b\nc}",
                "not JSON: line 1, column 9, raw newline in a string",
            ),
            (
                "text/plain",
                "Disk is full",
                "the body is neither JSON nor a form",
            ),
            (
                json,
                r#"{"$serde_json::private::Number":"x"}"#,
                "a name in the body begins with '$serde_json::private::', which cannot be kept",
            ),
        ] {
            assert_eq!(members(kind, text), expected, "{kind}: {text}");
        }
    }

    #[test]
    fn several_events_are_told_apart() {
        for text in [
            "[{\"a\":1},{\"a\":2},{\"a\":3}]",
            "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n",
        ] {
            let EventBody {
                members, further, ..
            } = body("application/json", text, false);
            assert_eq!(Value::Object(members).to_string(), r#"{"a":1}"#);
            assert_eq!(Value::from(further).to_string(), r#"[{"a":2},{"a":3}]"#);
        }

        assert_eq!(
            body("", "[{\"a\":1},2]", false).further,
            Vec::<Value>::new()
        );

        let whole = parse(
            "[{\"a\":1}]",
            b"",
            BodyFormat {
                content_type: "",
                is_strict: false,
                splits: false,
            },
        );
        assert_eq!(
            Value::Object(whole.members).to_string(),
            r#"{"_json":[{"a":1}]}"#
        );
    }

    #[test]
    fn to_the_letter_nothing_is_mended() {
        for (text, expected) in [
            ("{\"a\":1,}", "not JSON: trailing comma at line 1 column 8"),
            (
                "{\"a\":1}\n{\"a\":2}",
                "not JSON: trailing characters at line 2 column 1",
            ),
            ("a=1", "not JSON: expected value at line 1 column 1"),
        ] {
            assert_eq!(
                body("application/json", text, true).unreadable,
                Some(Unreadable::malformed(expected.to_owned()))
            );
        }

        let array = body("application/json", "[{\"a\":1}]", true);
        assert_eq!(
            Value::Object(array.members).to_string(),
            r#"{"_json":[{"a":1}]}"#
        );
    }
}
