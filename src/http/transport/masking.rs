//! Masking of options in a head that the HTTP library must not act on.
//!
//! The library acts on three options of HTTP/1.1 before any of our code runs:
//! - `Connection: upgrade` makes it close the connection after the response without saying so. This
//!   server never upgrades, and clients that offer it (Java and curl offer HTTP/2) must be able to
//!   continue (RFC 9110, 7.8).
//! - `Upgrade: websocket` makes it take everything that follows for the body.
//! - `Expect: 100-continue` makes it ask for a body that the head alone may decide to refuse.
//!
//! So the last letter of such an option is replaced when the head arrives, which makes it unknown.
//! [`unmask`] restores it in the parsed headers.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The headers and the options that are masked in them.
const MASKED: [(&str, &[u8]); 3] = [
    ("connection", b"upgrade"),
    ("upgrade", b"websocket"),
    (EXPECT, b"100-continue"),
];

const EXPECT: &str = "expect";

/// Replaces the last letter of a masked option.
const MASK: u8 = b'_';

/// The options that were masked in a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MaskedOptions {
    /// Any of them.
    pub(crate) any: bool,
    /// `Expect: 100-continue`.
    pub(crate) expects_continue: bool,
}

/// The part of a line that the next byte belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LinePart {
    /// The name of a header. For each entry of [`MASKED`], whether the name may still become its
    /// name.
    Name { candidates: [bool; MASKED.len()] },
    /// The value of a masked header, and how much of the option the current word has.
    Value {
        entry: usize,
        matched: Option<usize>,
    },
    /// Anything else.
    Other,
}

impl LinePart {
    /// The beginning of a header line.
    pub(crate) const HEADER: Self = Self::Name {
        candidates: [true; MASKED.len()],
    };

    /// Advances by one byte, which is at `position` of its line. Masks it if it completes an
    /// option.
    pub(crate) fn advance(
        self,
        position: usize,
        byte: &mut u8,
        options: &mut MaskedOptions,
    ) -> Self {
        match self {
            Self::Other => Self::Other,
            Self::Name { candidates } => match_name(candidates, position, *byte),
            Self::Value { entry, matched } => Self::Value {
                entry,
                matched: match_option(entry, matched, byte, options),
            },
        }
    }
}

fn match_name(mut candidates: [bool; MASKED.len()], position: usize, byte: u8) -> LinePart {
    let mut complete = None;
    for (entry, (candidate, (name, _))) in candidates.iter_mut().zip(MASKED).enumerate() {
        complete =
            complete.or((*candidate && byte == b':' && name.len() == position).then_some(entry));
        *candidate &= name
            .as_bytes()
            .get(position)
            .is_some_and(|next| next.eq_ignore_ascii_case(&byte));
    }

    match complete {
        Some(entry) => LinePart::Value {
            entry,
            matched: Some(0),
        },
        None if candidates.contains(&true) => LinePart::Name { candidates },
        None => LinePart::Other,
    }
}

/// How much of the option the current word has, including this byte. `None` if it is another word.
fn match_option(
    entry: usize,
    matched: Option<usize>,
    byte: &mut u8,
    options: &mut MaskedOptions,
) -> Option<usize> {
    if matches!(*byte, b',' | b' ' | b'\t') {
        return Some(0);
    }

    let (name, option) = MASKED.get(entry)?;
    option
        .get(matched?)
        .filter(|next| next.eq_ignore_ascii_case(byte))?;

    let matched = matched?.saturating_add(1);
    if matched < option.len() {
        return Some(matched);
    }

    *byte = MASK;
    options.any = true;
    options.expects_continue |= *name == EXPECT;

    None
}

/// Restores masked options in parsed headers.
pub(crate) fn unmask(headers: &mut HeaderMap) {
    for (name, option) in MASKED {
        let name = HeaderName::from_static(name);
        let values: Vec<_> = headers
            .get_all(&name)
            .map(|value| unmask_value(value, option))
            .collect();
        headers.remove(&name);
        for value in values {
            headers.append(name.clone(), value);
        }
    }
}

fn unmask_value(value: &HeaderValue, option: &[u8]) -> HeaderValue {
    let Some((last, rest)) = option.split_last() else {
        return value.clone();
    };

    let mut bytes = value.as_bytes().to_vec();
    for start in 0..bytes.len() {
        let Some(word) = bytes
            .get_mut(start..)
            .and_then(|rest| rest.get_mut(..option.len()))
        else {
            break;
        };

        if let Some((end, begin)) = word.split_last_mut()
            && *end == MASK
            && begin.eq_ignore_ascii_case(rest)
        {
            *end = *last;
        }
    }

    HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| value.clone())
}
