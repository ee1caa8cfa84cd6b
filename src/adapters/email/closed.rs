//! Messages within a message stay closed: nothing of them is shown, and to open them costs without
//! bound.
//!
//! The parser opens each, within others and within what is encoded. Thousands in each other exhaust
//! the stack when they are dropped, and each of those that were encoded gets a copy of all around
//! it. So they are named as something that the parser does not know.

use std::borrow::Cow;

/// Types of parts whose bodies are messages, or are unless they say otherwise. Their last letter is
/// replaced.
const OPENED: [&[u8]; 2] = [b"message", b"digest"];
/// By this letter.
const UNKNOWN: u8 = b'x';

/// The message, with all messages in it closed. Its length stays.
pub(super) fn closed(message: &[u8]) -> Cow<'_, [u8]> {
    let places = places(message);
    if places.is_empty() {
        return Cow::Borrowed(message);
    }

    let mut closed = message.to_vec();
    for place in places {
        closed
            .get_mut(place)
            .into_iter()
            .for_each(|letter| *letter = UNKNOWN);
    }

    Cow::Owned(closed)
}

/// Whether a part's type is that of a message that was closed.
pub(super) fn is_closed(content_type: &str) -> bool {
    content_type.eq_ignore_ascii_case("messagx")
}

/// Where the last letters of the names stand in headers that say the type of a part. Every part of
/// a message has its headers at the beginning of lines, unless it is in one that is encoded, and
/// that is closed.
fn places(message: &[u8]) -> Vec<usize> {
    let (mut places, mut start, mut within) = (Vec::new(), 0_usize, false);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let goes_on = within
            && line
                .first()
                .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
            && !line.trim_ascii().is_empty();

        within = goes_on || says_type(line);
        if within {
            for name in OPENED {
                let found = line
                    .windows(name.len())
                    .enumerate()
                    .filter(|(_, word)| word.eq_ignore_ascii_case(name));
                places.extend(found.map(|(place, _)| start + place + name.len() - 1));
            }
        }

        start += line.len();
    }

    places
}

/// The parser passes over what stands before the name.
fn says_type(line: &[u8]) -> bool {
    const NAME: &[u8] = b"content-type";
    let mut names = line
        .windows(NAME.len())
        .enumerate()
        .filter(|(_, word)| word.eq_ignore_ascii_case(NAME));
    names.any(|(place, _)| {
        let behind = line.get(place + NAME.len()..).unwrap_or_default();
        behind.trim_ascii_start().starts_with(b":")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, PartType};
    use proptest::prelude::*;

    fn opened(message: &str) -> usize {
        let closed = closed(message.as_bytes());
        let parsed = MessageParser::default().parse(closed.as_ref());
        let parts = parsed.iter().flat_map(|message| &message.parts);
        parts
            .filter(|part| matches!(part.body, PartType::Message(_)))
            .count()
    }

    #[test]
    fn only_the_types_of_parts_are_named_otherwise() {
        for (message, expected) in [
            ("DedupKey: a message\n\nno message/rfc822 here", None),
            ("Content-Type: text/plain\n\n  a message", None),
            (
                "Content-Type: message/rfc822\n\n",
                Some("Content-Type: messagx/rfc822\n\n"),
            ),
            (
                "content-type :\r\n\tMESSAGE/RFC822\r\n message",
                Some("content-type :\r\n\tMESSAGx/RFC822\r\n messagx"),
            ),
            (
                "Content-Type: multipart/digest\n",
                Some("Content-Type: multipart/digesx\n"),
            ),
        ] {
            assert_eq!(
                closed(message.as_bytes()),
                expected.unwrap_or(message).as_bytes(),
                "{message:?}"
            );
        }
    }

    /// 30,000 of them ended the process.
    #[test]
    fn messages_within_each_other_are_not_opened() {
        assert_eq!(
            opened(&"Content-Type: message/rfc822\r\n\r\n".repeat(50_000)),
            0
        );
        assert_eq!(
            opened(
                &("Content-Type: multipart/digest; boundary=b\r\n\r\n".to_owned()
                    + &"--b\r\n\r\n".repeat(1_000))
            ),
            0
        );
        assert_eq!(
            opened(
                "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKeA=="
            ),
            0
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn however_it_is_written_no_message_is_opened(pieces in prop::collection::vec(prop::sample::select(vec![
            "Content-Type", "content-type", ":", " ", "\t", "\r\n", "\n", "\r", "message", "Message", "/", "rfc822", "global", "multipart", "digest",
            "mixed", ";", "boundary=b", "--b", "--b--", "\"", "(", ")", "x", "DedupKey: x", "Content-Transfer-Encoding: base64", "U3ViamVjdDogeAoK",
            "Content-Type: message/rfc822\r\n\r\n", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n", "=", "\0", "é",
        ]), 0..40)) {
            prop_assert_eq!(opened(&pieces.concat()), 0);
        }
    }
}
