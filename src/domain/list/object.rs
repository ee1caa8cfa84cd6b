//! A stored JSON object, parsed lazily, one level at a time.
//!
//! A list reads two or three attributes of up to a million objects, so nothing is parsed before it
//! is needed, and strings without escapes are borrowed. Values are `RawValue`, never
//! `serde_json::Value`, which loses objects that use its private key names.
//!
//! Of duplicate names the last one counts, as everywhere in `serde_json`.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::walk;

/// The members of a JSON object with their raw values.
#[derive(Debug)]
pub struct RawObject<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> RawObject<'a> {
    /// Splits a JSON object into its members without parsing their values.
    ///
    /// # Errors
    /// The bytes are not a JSON object.
    pub fn parse(stored: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(stored)
    }

    /// The raw value of a member.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }

    /// Number of members.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The members in their original order.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_ref(), *value))
    }

    /// Splits a value that is an object.
    pub(super) fn of(value: &'a RawValue) -> Option<Self> {
        if value.get().starts_with('{') {
            serde_json::from_str(value.get()).ok()
        } else {
            None
        }
    }
}

impl<'de> Deserialize<'de> for RawObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = RawObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some((MemberName(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(RawObject { members })
    }
}

/// A name, borrowed if it has no escapes. Serde's own `Cow<str>` always copies.
struct MemberName<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for MemberName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(MemberNameVisitor)
    }
}

struct MemberNameVisitor;

impl<'de> Visitor<'de> for MemberNameVisitor {
    type Value = MemberName<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(MemberName(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(MemberName(Cow::Owned(name.to_owned())))
    }
}

/// A stored value, parsed one level deep.
#[derive(Debug)]
pub(super) enum Shape<'a> {
    Null,
    Boolean(bool),
    /// The text of the number.
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<&'a RawValue>),
    Object(RawObject<'a>),
}

impl<'a> Shape<'a> {
    /// `None` for a string with a lone surrogate (`"\ud800"`), which equals nothing and sorts like
    /// a missing value.
    pub(super) fn of(value: &'a RawValue) -> Option<Self> {
        let written = value.get();
        match written.as_bytes().first()? {
            b'n' => Some(Self::Null),
            b't' => Some(Self::Boolean(true)),
            b'f' => Some(Self::Boolean(false)),
            b'"' => text(value).map(Self::Text),
            b'[' => serde_json::from_str(written).ok().map(Self::Array),
            b'{' => RawObject::of(value).map(Self::Object),
            _ => Some(Self::Number(written)),
        }
    }

    /// The value as text for `beginsWith` and `contains`. `None` for null, arrays and objects.
    pub(super) fn written_form(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(digits) => Some(Cow::Borrowed(digits)),
            Self::Boolean(true) => Some(Cow::Borrowed("true")),
            Self::Boolean(false) => Some(Cow::Borrowed("false")),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }
}

/// The content of a JSON string; `None` for any other value.
pub(super) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let content = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if content.contains('\\') {
        serde_json::from_str(value.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(content))
    }
}

/// The elements of a JSON array; none for any other value.
pub(super) fn elements(value: &RawValue) -> Vec<&RawValue> {
    if value.get().starts_with('[') {
        serde_json::from_str(value.get()).unwrap_or_default()
    } else {
        Vec::new()
    }
}

/// Follows a dotted path from a value (see `walk`).
pub(super) fn find_below<'a>(value: &'a RawValue, path: &str) -> Option<&'a RawValue> {
    walk::find_all(value, &[path]).values.pop().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    fn below<'a>(json: &'a str, path: &str) -> Option<&'a str> {
        find_below(raw(json), path).map(RawValue::get)
    }

    #[test]
    fn members_are_handed_out_exactly_as_written() {
        let object =
            RawObject::parse(br#" { "a" : [1 , 2], "b":1.50, "c" : {"x": null} } "#).unwrap();
        assert_eq!(object.get("a").unwrap().get(), "[1 , 2]");
        assert_eq!(object.get("b").unwrap().get(), "1.50");
        assert_eq!(object.get("c").unwrap().get(), r#"{"x": null}"#);
        assert!(object.get("d").is_none());
    }

    #[test]
    fn names_are_borrowed_unless_they_have_escapes() {
        let object =
            RawObject::parse(r#"{"plain":1,"gr\u00fc\u00df":2,"日本":3}"#.as_bytes()).unwrap();
        let borrowed: Vec<_> = object
            .members
            .iter()
            .map(|(name, _)| matches!(name, Cow::Borrowed(_)))
            .collect();
        assert_eq!(borrowed, [true, false, true]);
        assert_eq!(object.get("grüß").unwrap().get(), "2");
        assert_eq!(object.get("日本").unwrap().get(), "3");
    }

    #[test]
    fn a_name_given_twice_has_its_last_value() {
        assert_eq!(
            RawObject::parse(br#"{"a":1,"a":2}"#)
                .unwrap()
                .get("a")
                .unwrap()
                .get(),
            "2"
        );
    }

    #[test]
    fn whatever_is_not_one_object_is_an_error() {
        for broken in ["", "[]", "1", "{", r#"{"a":}"#, "{} {}", r#"{"a":1,}"#] {
            assert!(RawObject::parse(broken.as_bytes()).is_err(), "{broken}");
        }
        assert!(RawObject::parse(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn text_is_borrowed_unless_it_has_escapes() {
        assert!(matches!(
            text(raw(r#""größe 🦀""#)),
            Some(Cow::Borrowed("größe 🦀"))
        ));
        assert_eq!(text(raw(r#""a\"b\\ \ud83e\udd80""#)).unwrap(), "a\"b\\ 🦀");
        assert_eq!(text(raw(r#""""#)).unwrap(), "");
        assert!(text(raw("1")).is_none());
        assert!(text(raw(r#""\ud800""#)).is_none());
    }

    #[test]
    fn private_key_names_of_serde_json_are_ordinary_members() {
        let json = r#"{"$serde_json::private::Number":"1","$serde_json::private::RawValue":"2"}"#;
        assert_eq!(below(json, "$serde_json::private::Number"), Some(r#""1""#));
        assert_eq!(
            below(json, "$serde_json::private::RawValue"),
            Some(r#""2""#)
        );
    }

    #[test]
    fn a_path_goes_down_object_by_object() {
        assert_eq!(below(r#"{"a":{"b":{"c":7}}}"#, "a.b.c"), Some("7"));
        assert_eq!(below(r#"{"a":{"b":{"c":7}}}"#, "a.b"), Some(r#"{"c":7}"#));
        assert_eq!(below(r#"{"a":{"b":7}}"#, "a.b.c"), None);
        assert_eq!(below(r#"{"a":[{"b":7}]}"#, "a.b"), None);
        assert_eq!(below(r#"{"a":null}"#, "a"), Some("null"));
        assert_eq!(below("[]", "a"), None);
    }

    #[test]
    fn names_with_dots_are_found_and_the_longest_one_counts() {
        assert_eq!(below(r#"{"a.b":1,"a":{"b":2}}"#, "a.b"), Some("1"));
        assert_eq!(
            below(r#"{"a.b":{"c":1},"a":{"b.c":2}}"#, "a.b.c"),
            Some("1")
        );
        assert_eq!(below(r#"{"a":{"b.c":2}}"#, "a.b.c"), Some("2"));
        // The longest name leads nowhere, so the shorter one is tried too.
        assert_eq!(below(r#"{"a.b":1,"a":{"b":{"c":3}}}"#, "a.b.c"), Some("3"));
        assert_eq!(below(r#"{"":{"a":4}}"#, ".a"), Some("4"));
    }

    #[test]
    fn a_path_as_deep_as_an_object_can_be_does_not_exhaust_the_stack() {
        let depth = 50_000;
        let json = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        // Reading each level scans the rest, so only the first hundred levels are walked here.
        let path = vec!["a"; 100].join(".");
        assert!(below(&json, &path).unwrap().starts_with('{'));
    }
}
