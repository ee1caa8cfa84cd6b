//! Names that the JSON library keeps for itself: it gives an object with such a member a meaning of
//! its own, and would store something else than what was sent. A body that has one is refused.

/// What these names begin with.
pub const PREFIX: &str = "$serde_json::private::";

/// Whether any object in this JSON, at any depth, has a member with such a name.
///
/// One pass over the text, without regard to how values nest: a string is a name if a colon follows
/// it. What is no JSON may be taken for either; whoever parses it refuses it anyway.
pub fn has_reserved_name(bytes: &[u8]) -> bool {
    is_suspicious(bytes)
        && Strings(bytes).any(|string| string.is_name && is_reserved(string.inside))
}

/// Whether a closer look is worth its time: the prefix needs either these letters or an escape that
/// hides some.
fn is_suspicious(bytes: &[u8]) -> bool {
    let contains = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    contains(b"serde_json") || contains(b"\\u")
}

/// Whether a name, as it stands between its quotes, begins so.
fn is_reserved(name: &[u8]) -> bool {
    if !name.contains(&b'\\') {
        return name.starts_with(PREFIX.as_bytes());
    }
    let quoted = [b"\"", name, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).is_ok_and(|name| name.starts_with(PREFIX))
}

/// The strings of a JSON text that has not been read yet.
struct Strings<'a>(&'a [u8]);

struct JsonString<'a> {
    /// What stands between the quotes, escapes and all.
    inside: &'a [u8],
    /// Whether it is the name of a member.
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

/// How many bytes there are before the closing quote.
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
