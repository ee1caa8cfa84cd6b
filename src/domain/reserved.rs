//! Names that the JSON library keeps for itself: it gives an object with such a member a meaning of its own, and would
//! store something else than what was sent. A body that has one is refused.

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// What these names begin with.
pub const PREFIX: &str = "$serde_json::private::";

/// Whether a closer look is worth its time: the prefix needs either these letters or an escape that hides some.
fn is_suspicious(bytes: &[u8]) -> bool {
    let contains = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    contains(b"serde_json") || contains(b"\\u")
}

/// Whether any object in this JSON, at any depth, has a member with such a name. `false` for what is no JSON.
pub fn has_reserved_name(bytes: &[u8]) -> bool {
    is_suspicious(bytes) && std::str::from_utf8(bytes).is_ok_and(|text| looks_reserved(text, DEEPEST))
}

/// The JSON library itself refuses what is deeper.
const DEEPEST: u8 = 128;

fn looks_reserved(text: &str, deeper: u8) -> bool {
    let Some(deeper) = deeper.checked_sub(1) else { return false };
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => serde_json::from_str::<Members<'_>>(text).is_ok_and(|Members(members)| {
            members.iter().any(|(name, value)| name.starts_with(PREFIX) || looks_reserved(value.get(), deeper))
        }),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text)
            .is_ok_and(|items| items.iter().any(|item| looks_reserved(item.get(), deeper))),
        _ => false,
    }
}

/// Every member, also those whose name comes twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
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
        ] {
            assert!(refused(text), "{text}");
        }
    }

    #[test]
    fn the_words_are_fine_as_a_value_or_within_a_name() {
        for text in [
            r#"{"meta":{"password":"$serde_json::private::Number"}}"#,
            r#"{"meta":{"my $serde_json::private::Number":"5"}}"#,
            r#"{"name":"\u00fc"}"#,
            r#"{"broken":"$serde_json::private::Number""#,
        ] {
            assert!(!refused(text), "{text}");
        }
    }
}
