//! Makes UTF-8 of messages that devices send in other charsets without saying so, or while they say
//! that it is UTF-8.

use crate::adapters::charset;
use std::borrow::Cow;

/// A message whose headers are UTF-8, as is its body if it has no parts and is declared so. Lines
/// that end in a bare CR get an LF.
pub(super) fn to_utf_8(message: &[u8]) -> Cow<'_, [u8]> {
    if message.starts_with(b"\xff\xfe") || message.starts_with(b"\xfe\xff") {
        return Cow::Owned(charset::decode(message, "").into_owned().into_bytes());
    }
    if message.contains(&b'\r') && !message.contains(&b'\n') {
        let lines = message.iter().map(|byte| match byte {
            b'\r' => b'\n',
            other => *other,
        });
        return Cow::Owned(to_utf_8(&lines.collect::<Vec<_>>()).into_owned());
    }
    if str::from_utf8(message).is_ok() {
        return Cow::Borrowed(message);
    }

    let end = super::head::end_of_headers(message).unwrap_or(message.len());
    let (headers, body) = message.split_at_checked(end).unwrap_or((message, b""));
    let headers = charset::decode(headers, "");
    let lower = headers.to_ascii_lowercase();
    let is_declared_utf_8 = lower.contains("charset=utf-8") || lower.contains("charset=\"utf-8");
    let body = if is_declared_utf_8 && !lower.contains("multipart/") {
        Cow::Owned(charset::decode(body, "").into_owned().into_bytes())
    } else {
        Cow::Borrowed(body)
    };
    Cow::Owned([headers.as_bytes(), &body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_utf_8() {
        let marked: Vec<u8> = "\u{feff}Subject: ü\n\nb"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (message, expected) in [
            (&b"Subject: \xc3\xbc\n\nb"[..], &b"Subject: \xc3\xbc\n\nb"[..]),
            (b"Subject: \xfc\n\nb", b"Subject: \xc3\xbc\n\nb"),
            (b"Subject: x\rTo: \xfc\r\rb", b"Subject: x\nTo: \xc3\xbc\n\nb"),
            (
                b"Content-Type: text/plain; charset=UTF-8\n\n\xfc",
                b"Content-Type: text/plain; charset=UTF-8\n\n\xc3\xbc",
            ),
            (b"Subject: x\n\n\xfc", b"Subject: x\n\n\xfc"),
            (&marked, b"Subject: \xc3\xbc\n\nb"),
        ] {
            assert_eq!(to_utf_8(message).as_ref(), expected, "{message:?}");
        }
    }
}
