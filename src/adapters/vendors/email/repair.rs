//! Repairs messages that scripts and devices put together by hand, before they are parsed.
//!
//! Removed are a byte order mark and blank lines before the headers; added are the empty line after
//! the headers and the closing boundaries of multipart messages. Adjacent encoded words of the same
//! charset are joined, since some programs split a character between them.

use super::{decoding, head::end_of_headers};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::borrow::Cow;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Boundaries that are closed.
const MAX_BOUNDARIES: usize = 16;

pub(super) fn repair(message: &[u8]) -> Cow<'_, [u8]> {
    match decoding::to_utf_8(message) {
        Cow::Borrowed(message) => repair_structure(message),
        Cow::Owned(message) => Cow::Owned(repair_structure(&message).into_owned()),
    }
}

fn repair_structure(message: &[u8]) -> Cow<'_, [u8]> {
    let message = without_leading_lines(message.strip_prefix(BYTE_ORDER_MARK).unwrap_or(message));
    let end = end_of_headers(message);
    let (headers, body) = message
        .split_at_checked(end.unwrap_or_else(|| end_of_header_lines(message)))
        .unwrap_or((message, b""));
    let joined = join_encoded_words(headers);
    let closing = missing_boundaries(headers, message);
    if matches!(joined, Cow::Borrowed(_)) && end.is_some() && closing.is_empty() {
        return Cow::Borrowed(message);
    }

    let mut repaired = joined.into_owned();
    if end.is_none() {
        repaired.extend_from_slice(if body.is_empty() { b"\r\n\r\n" } else { b"\r\n" });
    }
    repaired.extend_from_slice(body);
    for boundary in closing.iter().rev() {
        repaired.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    }
    Cow::Owned(repaired)
}

/// Skips blank lines, if a header follows them.
fn without_leading_lines(message: &[u8]) -> &[u8] {
    let trimmed = message.trim_ascii_start();
    let line = trimmed.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if is_header(line) { trimmed } else { message }
}

/// The offset of the first line that is no header, in a message that begins with one.
fn end_of_header_lines(message: &[u8]) -> usize {
    let mut start = 0_usize;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let is_folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if !is_header(line) && !is_folded {
            break;
        }
        start = start.saturating_add(line.len());
    }
    if start == 0 { message.len() } else { start }
}

fn is_header(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.len() < line.len() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// The boundaries of a multipart message that begin a part but are never closed.
fn missing_boundaries(headers: &[u8], message: &[u8]) -> Vec<String> {
    let is_multipart = String::from_utf8_lossy(headers)
        .to_ascii_lowercase()
        .contains("multipart/");
    if !is_multipart {
        return Vec::new();
    }

    let text = String::from_utf8_lossy(message);
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (offset, name) in lower.match_indices("boundary=").take(MAX_BOUNDARIES) {
        let value = text.get(offset.saturating_add(name.len())..).unwrap_or_default();
        let boundary = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value
                .split(|character: char| character == ';' || character.is_whitespace())
                .next(),
        };
        let boundary = boundary.unwrap_or_default().to_owned();
        let is_open = text.contains(&format!("--{boundary}\n")) || text.contains(&format!("--{boundary}\r\n"));
        if !boundary.is_empty()
            && is_open
            && !text.contains(&format!("--{boundary}--"))
            && !found.contains(&boundary)
        {
            found.push(boundary);
        }
    }
    found
}

/// An encoded word of RFC 2047, `=?charset?encoding?payload?=`.
struct EncodedWord<'a> {
    charset: &'a str,
    encoding: &'a str,
    payload: &'a str,
    rest: &'a str,
}

impl<'a> EncodedWord<'a> {
    /// Parses the word at the start of a text.
    fn parse(text: &'a str) -> Option<Self> {
        let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
        let (encoding, rest) = rest.split_once('?')?;
        let (payload, rest) = rest.split_once("?=")?;
        let is_valid = matches!(encoding, "b" | "B" | "q" | "Q")
            && ![charset, payload]
                .iter()
                .any(|part| part.contains(char::is_whitespace));
        is_valid.then_some(Self {
            charset,
            encoding,
            payload,
            rest,
        })
    }

    fn may_precede(&self, next: &Self) -> bool {
        self.charset.eq_ignore_ascii_case(next.charset)
            && self.encoding.eq_ignore_ascii_case(next.encoding)
    }
}

fn join_encoded_words(headers: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = str::from_utf8(headers) else {
        return Cow::Borrowed(headers);
    };

    let (mut out, mut rest, mut is_changed) = (String::with_capacity(text.len()), text, false);
    while let Some(start) = rest.find("=?") {
        let (before, from_word) = rest.split_at_checked(start).unwrap_or((rest, ""));
        out.push_str(before);
        let Some(word) = EncodedWord::parse(from_word) else {
            out.push_str("=?");
            rest = from_word.get(2..).unwrap_or_default();
            continue;
        };

        let (mut payloads, mut last) = (vec![word.payload], word.rest);
        while let Some(next) = EncodedWord::parse(last.trim_start())
            .filter(|next| last.starts_with(char::is_whitespace) && word.may_precede(next))
        {
            payloads.push(next.payload);
            last = next.rest;
        }

        let joined = join_payloads(&payloads, word.encoding);
        is_changed |= payloads.len() > 1;
        out.push_str(&format!("=?{}?{}?{joined}?=", word.charset, word.encoding));
        rest = last;
    }

    if is_changed {
        out.push_str(rest);
        Cow::Owned(out.into_bytes())
    } else {
        Cow::Borrowed(headers)
    }
}

fn join_payloads(payloads: &[&str], encoding: &str) -> String {
    if encoding.eq_ignore_ascii_case("q") {
        return payloads.concat();
    }

    let decoded: Result<Vec<_>, _> = payloads
        .iter()
        .map(|payload| BASE64_STANDARD.decode(payload))
        .collect();
    match decoded {
        Ok(parts) => BASE64_STANDARD.encode(parts.concat()),
        Err(_) => payloads.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn malformed_messages_are_repaired() {
        for (message, expected) in [
            ("Subject: x\r\n\r\nbody", "Subject: x\r\n\r\nbody"),
            ("\u{feff}From: a@b\r\n\r\nx", "From: a@b\r\n\r\nx"),
            ("\r\n \r\nSubject: x\r\n\r\nb", "Subject: x\r\n\r\nb"),
            ("\r\nplain text\n\nmore", "\r\nplain text\n\nmore"),
            ("Subject: x", "Subject: x\r\n\r\n"),
            ("Subject: x\nTo: a\n b\nbody text\n", "Subject: x\nTo: a\n b\n\r\nbody text\n"),
            ("body text\nTo: a\n", "body text\nTo: a\n\r\n\r\n"),
            (
                "Content-Type: multipart/mixed; boundary=T\n\n--T\n\nx",
                "Content-Type: multipart/mixed; boundary=T\n\n--T\n\nx\r\n--T--\r\n",
            ),
            (
                "Content-Type: multipart/mixed; boundary=\"a b\"\n\n--a b\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\nx",
                "Content-Type: multipart/mixed; boundary=\"a b\"\n\n--a b\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\nx\r\n--i--\r\n\r\n--a b--\r\n",
            ),
            ("Content-Type: text/plain; boundary=T\n\n--T\n\nx", "Content-Type: text/plain; boundary=T\n\n--T\n\nx"),
            ("Subject: =?utf-8?Q?K=C3?=\r\n =?UTF-8?q?=BChl?= x\n\n", "Subject: =?utf-8?Q?K=C3=BChl?= x\n\n"),
            ("Subject: =?utf-8?B?S8M=?= =?utf-8?B?vGhs?=\n\n", "Subject: =?utf-8?B?S8O8aGw=?=\n\n"),
            ("Subject: =?utf-8?Q?a?= =?latin1?Q?b?= =? c\n\n", "Subject: =?utf-8?Q?a?= =?latin1?Q?b?= =? c\n\n"),
        ] {
            assert_eq!(String::from_utf8_lossy(&repair(message.as_bytes())), expected, "{message:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn repaired_messages_need_no_repair(pieces in prop::collection::vec(prop::sample::select(vec![
            "Subject: x", "\r\n", "\n", "Content-Type: multipart/mixed; boundary=b", "--b", "--b--", "=?utf-8?B?", "S8M=", "?=", " ", "x", "é",
            "\u{feff}",
        ]), 0..30)) {
            let once = repair(pieces.concat().as_bytes()).into_owned();
            prop_assert!(once.len() < 4_000);
        }
    }
}
