//! Bytes in the query of an event that should have been percent-encoded.
//!
//! Small devices, and people with `curl`, send what was typed: `/integration/ID/g?Title=Küche 2`.
//! The HTTP library refuses such a request, and an alert is lost. So these bytes are replaced before
//! the library sees them, and percent-encoded in the parsed URL ([`RawQuery::restore`]).
//!
//! Only the address of events is read so kindly, and only in whole request lines: where a query with
//! blanks ends depends on the end of its line.

use memchr::{memchr, memrchr};
use std::fmt::Write as _;

/// Replaces a raw byte.
const MASK: u8 = b'_';
/// Maximum number of raw bytes. The library refuses a query that has more.
const MAX_RAW_BYTES: usize = 8_192;

/// The raw bytes of a request target, with their positions in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RawQuery(Vec<(usize, u8)>);

/// What is known about the request line at the beginning of a head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RequestLine {
    /// Nothing has arrived but line breaks, which may precede it.
    Missing,
    /// It may be the line of an event, and has not arrived completely.
    Incomplete,
    /// It can be passed on. Raw bytes have been replaced.
    Complete(RawQuery),
}

impl RequestLine {
    /// Examines the beginning of a head, and replaces raw bytes in the query of an event.
    pub(crate) fn prepare(head: &mut [u8]) -> Self {
        let Some(start) = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n')) else {
            return Self::Missing;
        };
        let Some(line) = head.get_mut(start..).filter(|line| may_be_event(line)) else {
            return Self::Complete(RawQuery::default());
        };
        let Some(end) = memchr(b'\n', line) else {
            return Self::Incomplete;
        };
        Self::Complete(line.get_mut(..end).map(mask).unwrap_or_default())
    }
}

/// Whether a line is or may become the request line of an event.
fn may_be_event(line: &[u8]) -> bool {
    const METHODS: [&[u8]; 3] = [b"POST /", b"GET /", b"HEAD /"];
    const FOLDER: &[u8] = b"integration/";

    METHODS
        .iter()
        .any(|method| match line.strip_prefix(*method) {
            None => method.starts_with(line),
            Some(path) => {
                let slashes = path.iter().take_while(|byte| **byte == b'/').count();
                let path = path.get(slashes..).unwrap_or_default();
                path.starts_with(FOLDER) || FOLDER.starts_with(path)
            }
        })
}

/// Replaces the raw bytes in the query of a request line.
fn mask(line: &mut [u8]) -> RawQuery {
    let mut raw = Vec::new();
    let bounds = memchr(b' ', line).zip(memrchr(b' ', line));
    let Some((before, after)) = bounds.filter(|(before, after)| before < after) else {
        return RawQuery::default();
    };

    // Without a version after its last blank, the line is malformed anyway.
    let has_version = line
        .get(after..)
        .is_some_and(|rest| rest.starts_with(b" HTTP/"));
    let target = line
        .get_mut(before + 1..after)
        .filter(|_| has_version)
        .unwrap_or_default();
    let Some(query) = memchr(b'?', target) else {
        return RawQuery::default();
    };

    for (position, byte) in target.iter_mut().enumerate().skip(query) {
        if is_raw(*byte) && raw.len() < MAX_RAW_BYTES {
            raw.push((position, *byte));
            *byte = MASK;
        }
    }
    RawQuery(raw)
}

/// Whether the library refuses a query with this byte.
fn is_raw(byte: u8) -> bool {
    matches!(byte, b'\t' | b' ' | b'"' | b'<' | b'>' | 0x7f..=0xff)
}

impl RawQuery {
    /// Whether there are no raw bytes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The target as its sender should have sent it.
    pub(crate) fn restore(&self, target: &str) -> String {
        let mut restored = String::with_capacity(target.len() + 2 * self.0.len());
        let mut copied = 0;
        for (position, byte) in &self.0 {
            let Some(between) = target.get(copied..*position) else {
                break;
            };
            restored.push_str(between);
            // Writing to a string cannot fail.
            let _infallible = write!(restored, "%{byte:02X}");
            copied = position + 1;
        }
        restored.push_str(target.get(copied..).unwrap_or_default());
        restored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head as the library gets it, and the target as handlers see it.
    fn read(head: &str) -> (String, String) {
        let mut bytes = head.as_bytes().to_vec();
        let RequestLine::Complete(raw) = RequestLine::prepare(&mut bytes) else {
            panic!("{head:?} is incomplete");
        };
        let masked = String::from_utf8(bytes).unwrap();
        let target = masked.trim_start().split(' ').nth(1).unwrap_or_default();
        let restored = raw.restore(target);
        (masked, restored)
    }

    #[test]
    fn raw_bytes_in_the_query_of_an_event_are_percent_encoded() {
        for (target, expected) in [
            ("/integration/int_a/g?t=a", "/integration/int_a/g?t=a"),
            (
                "//integration/int_a?t=ü\"<>",
                "//integration/int_a?t=%C3%BC%22%3C%3E",
            ),
            (
                "/integration/int_a?t=a  b ",
                "/integration/int_a?t=a%20%20b%20",
            ),
            (
                "/integration/int_a?ü=%20+&x=\t",
                "/integration/int_a?%C3%BC=%20+&x=%09",
            ),
        ] {
            let (masked, restored) = read(&format!("\r\nGET {target} HTTP/1.1\r\nhost: ü\r\n"));
            assert_eq!(restored, expected);
            assert!(masked.ends_with(" HTTP/1.1\r\nhost: ü\r\n"), "{masked}");
            assert_eq!(masked.split("HTTP").next().unwrap().split(' ').count(), 3);
        }
    }

    #[test]
    fn other_requests_are_not_changed() {
        for head in [
            "GET /alert?title=ü HTTP/1.1\r\n",
            "GET /integration?name=ü HTTP/1.1\r\n",
            "PUT /integration/int_a?x=ü HTTP/1.1\r\n",
            "GET /integration/int_ü HTTP/1.1\r\n",
            "GET /integration/int_a?x=ü y\r\n",
            "GET /integration/int_a?x=ü\r\n",
            "\u{16}\u{3}\u{1}",
        ] {
            assert_eq!(read(head).0, head);
        }
    }

    #[test]
    fn only_lines_of_events_are_waited_for() {
        for (head, expected) in [
            ("", RequestLine::Missing),
            ("\r\n", RequestLine::Missing),
            ("G", RequestLine::Incomplete),
            ("\nPOST //integ", RequestLine::Incomplete),
            (
                "POST /integration/int_a?t=a b HTTP/1.1",
                RequestLine::Incomplete,
            ),
            (
                "PUT /integration/int_a",
                RequestLine::Complete(RawQuery::default()),
            ),
            ("GET /alert", RequestLine::Complete(RawQuery::default())),
            ("\u{16}\u{3}", RequestLine::Complete(RawQuery::default())),
        ] {
            let mut bytes = head.as_bytes().to_vec();
            assert_eq!(RequestLine::prepare(&mut bytes), expected, "{head:?}");
        }
    }
}
