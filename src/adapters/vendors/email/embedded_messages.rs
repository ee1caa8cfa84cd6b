//! Masks the messages attached to a message, which are not shown and whose parsing costs too much.
//!
//! The parser descends into every attached message, even an encoded one. Thousands of nested
//! messages exhaust the stack when they are dropped, and each encoded one copies everything around
//! it. So their content type is replaced by one that the parser does not know.

use std::borrow::Cow;

/// Content types of messages, and of parts that consist of messages by default. Their last letter
/// is replaced.
const MASKED: [&[u8]; 2] = [b"message", b"digest"];
const REPLACEMENT: u8 = b'x';

/// Masks all messages within a message. Its length stays the same.
pub(super) fn mask(message: &[u8]) -> Cow<'_, [u8]> {
    let offsets = offsets(message);
    if offsets.is_empty() {
        return Cow::Borrowed(message);
    }

    let mut masked = message.to_vec();
    for offset in offsets {
        masked
            .get_mut(offset)
            .into_iter()
            .for_each(|letter| *letter = REPLACEMENT);
    }

    Cow::Owned(masked)
}

/// Whether a content type is that of a masked message.
pub(super) fn is_masked(content_type: &str) -> bool {
    content_type.eq_ignore_ascii_case("messagx")
}

/// The offsets of the letters to replace in headers with a content type. The headers of every part
/// begin at the start of a line, except within an encoded message, which is masked itself.
fn offsets(message: &[u8]) -> Vec<usize> {
    let (mut offsets, mut start, mut within) = (Vec::new(), 0_usize, false);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let is_folded = within
            && line
                .first()
                .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
            && !line.trim_ascii().is_empty();

        within = is_folded || has_content_type(line);
        if within {
            for name in MASKED {
                let found = line
                    .windows(name.len())
                    .enumerate()
                    .filter(|(_, word)| word.eq_ignore_ascii_case(name));
                offsets.extend(found.map(|(offset, _)| start + offset + name.len() - 1));
            }
        }

        start += line.len();
    }

    offsets
}

/// The parser skips whatever precedes the name.
fn has_content_type(line: &[u8]) -> bool {
    const NAME: &[u8] = b"content-type";
    let mut names = line
        .windows(NAME.len())
        .enumerate()
        .filter(|(_, word)| word.eq_ignore_ascii_case(NAME));
    names.any(|(offset, _)| {
        let after = line.get(offset + NAME.len()..).unwrap_or_default();
        after.trim_ascii_start().starts_with(b":")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, PartType};
    use proptest::prelude::*;

    fn opened(message: &str) -> usize {
        let masked = mask(message.as_bytes());
        let parsed = MessageParser::default().parse(masked.as_ref());
        let parts = parsed.iter().flat_map(|message| &message.parts);
        parts
            .filter(|part| matches!(part.body, PartType::Message(_)))
            .count()
    }

    #[test]
    fn only_the_types_of_parts_are_named_otherwise() {
        for (message, expected) in [
            ("Subject: a message\n\nno message/rfc822 here", None),
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
                mask(message.as_bytes()),
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
            "mixed", ";", "boundary=b", "--b", "--b--", "\"", "(", ")", "x", "Subject: x", "Content-Transfer-Encoding: base64", "U3ViamVjdDogeAoK",
            "Content-Type: message/rfc822\r\n\r\n", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n", "=", "\0", "é",
        ]), 0..40)) {
            prop_assert_eq!(opened(&pieces.concat()), 0);
        }
    }
}
