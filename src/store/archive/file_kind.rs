//! Recognises files that were passed by mistake, for a message that says what they are.

/// The first bytes of a backup.
pub(super) const BACKUP_MAGIC: &[u8] = b"pagertree-local backup ";
/// The value of `format` in the first line of an export.
pub(super) const EXPORT_FORMAT: &str = "pagertree-local export";

/// Magic bytes, and what to say: the message continues a sentence that begins with the file's name.
const KNOWN: [(&[u8], &str); 8] = [
    (&[0x1f, 0x8b], "is compressed with gzip; unpack it first"),
    (
        &[0x28, 0xb5, 0x2f, 0xfd],
        "is compressed with zstd; unpack it first",
    ),
    (b"\xfd7zXZ\0", "is compressed with xz; unpack it first"),
    (b"BZh", "is compressed with bzip2; unpack it first"),
    (b"PK\x03\x04", "is a zip archive; unpack it first"),
    (&[0xff, 0xfe], "is UTF-16 text; convert it to UTF-8"),
    (&[0xfe, 0xff], "is UTF-16 text; convert it to UTF-8"),
    (BACKUP_MAGIC, "is a backup; use `restore`"),
];

/// Some editors write it in front of UTF-8, where it has no meaning.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn strip_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// What a file that begins with these bytes is, if known.
pub(super) fn describe(beginning: &[u8]) -> Option<&'static str> {
    let known = KNOWN
        .iter()
        .find(|(magic, _)| beginning.starts_with(magic))
        .map(|(_, what)| *what);
    let export = format!("{{\"format\":\"{EXPORT_FORMAT}");
    let is_export = || {
        let text = strip_byte_order_mark(beginning);
        let compared = text.len().min(export.len());
        compared > "{\"format\":\"".len()
            && text.get(..compared) == export.as_bytes().get(..compared)
    };

    known.or_else(|| is_export().then_some("is an export; use `import`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_known_by_its_beginning_with_and_without_a_mark() {
        let export = br#"{"format":"pagertree-local export","version":1}"#;
        for text in [
            export.to_vec(),
            export[..23].to_vec(),
            [BYTE_ORDER_MARK, export].concat(),
        ] {
            assert_eq!(describe(&text), Some("is an export; use `import`"));
        }
        assert_eq!(describe(br#"{"format":"something else"}"#), None);
        assert_eq!(describe(b""), None);
        assert_eq!(describe(br#"{"format":""#), None);
    }
}
