//! Decodes text in any charset.
//!
//! The charset is determined by the first that applies: a byte order mark, the `charset` of the
//! Content-Type, valid UTF-8, UTF-16 without a mark. Everything else is decoded as Windows-1252, which
//! PowerShell 5 and many older programs send.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// Decodes bytes, without a byte order mark.
pub(super) fn decode<'a>(bytes: &'a [u8], content_type: &str) -> Cow<'a, str> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return encoding
            .decode_without_bom_handling(bytes.get(length..).unwrap_or_default())
            .0;
    }
    decode_as(bytes, named(content_type))
}

/// Decodes a part of a text in this charset, such as an escaped value of a form.
pub(super) fn decode_as<'a>(bytes: &'a [u8], named: Option<&'static Encoding>) -> Cow<'a, str> {
    match (
        named.filter(|encoding| *encoding != UTF_8),
        std::str::from_utf8(bytes),
    ) {
        (Some(encoding), _) => encoding.decode_without_bom_handling(bytes).0,
        (None, Ok(text)) if !text.contains('\0') => text.into(),
        (None, text) => match (unmarked_utf_16(bytes), text) {
            (Some(encoding), _) => encoding.decode_without_bom_handling(bytes).0,
            (None, Ok(text)) => text.into(),
            (None, Err(_)) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
    }
}

/// The `charset` of a Content-Type, if it is known.
pub(super) fn named(content_type: &str) -> Option<&'static Encoding> {
    let parameters = content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    Encoding::for_label(charsets.next()?.1.trim().trim_matches('"').as_bytes())
}

/// Recognizes UTF-16 that begins with ASCII, as JSON and forms do.
fn unmarked_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, 1..=0x7f, 0, 1..=0x7f, ..] => Some(UTF_16BE),
        [1..=0x7f, 0, 1..=0x7f, 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn text_is_decoded_in_its_charset() {
        let text = r#"{"a":"Kühlhaus €"}"#;
        let marked = |mark: &[u8], text: Vec<u8>| [mark, &text].concat();
        let (little, big) = (
            utf_16(text, u16::to_le_bytes),
            utf_16(text, u16::to_be_bytes),
        );

        for (bytes, kind) in [
            (text.as_bytes().to_vec(), ""),
            (text.as_bytes().to_vec(), "application/json; charset=utf-8"),
            (
                text.as_bytes().to_vec(),
                "application/json; charset=martian",
            ),
            (
                marked(b"\xef\xbb\xbf", text.into()),
                "text/plain; charset=iso-8859-1",
            ),
            (marked(b"\xff\xfe", little.clone()), ""),
            (
                marked(b"\xfe\xff", big.clone()),
                "application/json; charset=utf-16",
            ),
            (little.clone(), "application/json; charset=utf-16le"),
            (little, ""),
            (big, "application/json"),
            (WINDOWS_1252.encode(text).0.into_owned(), ""),
            (
                WINDOWS_1252.encode(text).0.into_owned(),
                "application/json; charset=utf-8",
            ),
            (
                WINDOWS_1252.encode(text).0.into_owned(),
                "application/json; Charset=\"ISO-8859-1\"",
            ),
        ] {
            assert_eq!(decode(&bytes, kind), text, "{bytes:?} {kind}");
        }

        let text = "Ошибка";
        assert_eq!(
            decode(
                &encoding_rs::KOI8_R.encode(text).0,
                "text/plain;charset=koi8-r"
            ),
            text
        );
    }

    #[test]
    fn any_bytes_can_be_decoded() {
        for bytes in [
            &b"\0\0\0"[..],
            b"\xff",
            b"\xff\xfe\xd8",
            b"a\0",
            b"\0a",
            b"",
        ] {
            let _some = decode(bytes, "");
        }
        assert_eq!(decode(b"a\0b", ""), "a\0b");
    }
}
