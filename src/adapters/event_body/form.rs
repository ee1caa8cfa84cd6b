//! URL-encoded forms.

use super::{Batches, BodyFormat, EventBody, events_of};
use crate::{
    adapters::{charset, lenient_json, nested_params},
    domain::reserved,
};
use encoding_rs::Encoding;

/// Fields in which some senders put all of their JSON, besides a form's only field.
const JSON_FIELDS: [&str; 2] = ["payload", "data"];

/// Whether a text of unknown type is a form: one line of pairs whose names are words.
pub(super) fn is_likely(text: &str) -> bool {
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

/// Parses a form.
pub(super) fn parse(bytes: &[u8], text: &str, format: BodyFormat<'_>) -> EventBody {
    let named = charset::named(format.content_type);
    // In UTF-16 the escapes stand for bytes of the decoded text.
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
    let only = members
        .keys()
        .next()
        .filter(|_| members.len() == 1)
        .map(String::as_str);
    let wrapped = JSON_FIELDS
        .into_iter()
        .chain(only)
        .filter(|_| !format.is_strict)
        .find_map(|name| {
            let inner = members.get(name)?.as_str()?.trim();
            let parsed = inner.starts_with('{') && !reserved::has_reserved_name(inner.as_bytes());
            parsed.then(|| lenient_json::parse(inner).ok()).flatten()
        });

    match wrapped {
        Some(values) => {
            let mut body = events_of(
                values,
                BodyFormat {
                    batches: Batches::Whole,
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

/// The pairs of a form, unescaped in its charset.
pub(in crate::adapters) fn pairs(
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
            (unescape(name, named), unescape(value, named))
        })
}

fn unescape(text: &[u8], named: Option<&'static Encoding>) -> String {
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
