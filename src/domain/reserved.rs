//! Detects member names that serde_json reserves. An object with such a member would be stored
//! differently from what was sent, so bodies that contain one are refused.

/// Prefix of the reserved names.
pub const PREFIX: &str = "$serde_json::private::";

/// Whether any object in this JSON text, at any depth, has a member with a reserved name.
///
/// One pass over the text, without tracking nesting: a string followed by a colon is a name. The
/// result for invalid JSON does not matter, since the parser refuses it.
pub fn has_reserved_name(bytes: &[u8]) -> bool {
    is_suspicious(bytes)
        && Strings(bytes).any(|string| string.is_name && is_reserved(string.inside))
}

/// A cheap test for most bodies: the prefix requires either these letters or an escape.
fn is_suspicious(bytes: &[u8]) -> bool {
    let contains = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    contains(b"serde_json") || contains(b"\\u")
}

/// Whether a raw name (with escapes) has the prefix.
fn is_reserved(name: &[u8]) -> bool {
    if !name.contains(&b'\\') {
        return name.starts_with(PREFIX.as_bytes());
    }
    let quoted = [b"\"", name, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).is_ok_and(|name| name.starts_with(PREFIX))
}

/// Iterates over the strings of a JSON text.
struct Strings<'a>(&'a [u8]);

struct JsonString<'a> {
    /// The raw text between the quotes.
    inside: &'a [u8],
    /// Whether a colon follows.
    is_name: bool,
}

impl<'a> Iterator for Strings<'a> {
    type Item = JsonString<'a>;

    fn next(&mut self) -> Option<JsonString<'a>> {
        let start = self.0.iter().position(|byte| *byte == b'"')?;
        let (_, rest) = self.0.split_at_checked(start.checked_add(1)?)?;
        let (inside, rest) = rest.split_at_checked(length_of_string(rest)?)?;
        let (_quote, rest) = rest.split_first()?;
        self.0 = rest;
        Some(JsonString {
            inside,
            is_name: rest.trim_ascii_start().first() == Some(&b':'),
        })
    }
}

/// Bytes before the closing quote.
fn length_of_string(rest: &[u8]) -> Option<usize> {
    let mut escaped = false;
    rest.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> bool {
        has_reserved_name(text.as_bytes())
    }

    #[test]
    fn reserved_names_are_found_at_any_depth_and_behind_escapes() {
        for text in [
            r#"{"$serde_json::private::Number":"5"}"#,
            r#" {"meta":{"a":[1,{"b":{"$serde_json::private::RawValue":"{}"}}]}}"#,
            r#"{"meta":{"\u0024serde_json::private::RawValue":"[]"}}"#,
            r#"{"meta":{"$serde\u005fjson::private::Number":"5"}}"#,
            r#"{"a":{"$serde_json::private::Number":"5"},"a":1}"#,
            "{\"\\\"\\\\\": \"\\\\\", \"$serde_json::private::Number\" \n\t: 5}",
        ] {
            assert!(refused(text), "{text}");
        }
    }

    #[test]
    fn the_words_are_fine_as_a_value_or_within_a_name() {
        for text in [
            r#"{"meta":{"password":"$serde_json::private::Number"}}"#,
            r#"{"meta":{"my $serde_json::private::Number":"5"}}"#,
            r#"{"meta":["$serde_json::private::Number", "\u0024serde_json::private::Number"]}"#,
            r#"{"a":"\",\"$serde_json::private::Number\":1"}"#,
            r#"{"name":"\u00fc"}"#,
            r#"{"broken":"$serde_json::private::Number""#,
            r#"{"broken":"\u"#,
        ] {
            assert!(!refused(text), "{text}");
        }
    }

    /// Objects were parsed again for each level of nesting.
    #[test]
    fn each_byte_is_looked_at_once_however_deep_it_lies() {
        let flat = format!(r#"{{"x":"\u0041{}"}}"#, "x".repeat(10_000));
        for depth in [0, 30, 120] {
            let deep = format!("{}{flat}{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
            let seen: usize = Strings(deep.as_bytes())
                .map(|string| string.inside.len())
                .sum();
            assert_eq!(seen, depth + 1 + 6 + 10_000);
        }
    }
}
