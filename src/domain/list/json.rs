//! Comparison of JSON given in a filter with stored JSON.
//!
//! Equality is by value: the order of members and the notation of numbers and strings do not
//! matter. The given side is parsed once. The stored side is parsed only as deep as the given side
//! goes, which also bounds the recursion.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};

use super::{
    number::Number,
    object::{RawObject, Shape},
};

/// Deeper values are refused. The same limit as `serde_json`'s own.
const MAX_DEPTH: usize = 128;

/// The members of a given object.
#[derive(Debug, Clone)]
pub(super) struct Members(BTreeMap<String, Json>);

/// Any JSON value, given to be compared with stored ones.
#[derive(Debug, Clone)]
pub struct ExpectedJson(Json);

impl ExpectedJson {
    /// Takes a given value. `None` if it is nested too deeply, or has a lone surrogate.
    pub fn new(value: &Value) -> Option<Self> {
        let text = serde_json::to_string(value).ok()?;
        let value: &RawValue = serde_json::from_str(&text).ok()?;
        Json::read(value, MAX_DEPTH).map(Self)
    }

    /// Whether a stored value is equal, of the same type.
    pub fn equals(&self, stored: &RawValue) -> bool {
        self.0.equal(stored)
    }
}

/// Whether a text is a JSON value.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

#[derive(Debug, Clone)]
enum Json {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    Array(Vec<Json>),
    Object(Members),
}

impl Members {
    /// Parses a JSON object. `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let value: &RawValue = serde_json::from_str(text).ok()?;
        Self::read(RawObject::of(value)?, MAX_DEPTH)
    }

    /// Whether the stored object has exactly these members. Stored objects have no duplicate names.
    pub(super) fn equal(&self, stored: &RawObject<'_>) -> bool {
        stored.len() == self.0.len() && self.contained_in(stored)
    }

    /// Whether the stored object has all these members, with equal values.
    pub(super) fn contained_in(&self, stored: &RawObject<'_>) -> bool {
        // A single pass over the stored side, however large either side is.
        let found = stored
            .members()
            .filter(|(name, value)| self.0.get(*name).is_some_and(|given| given.equal(value)));
        found.count() == self.0.len()
    }

    fn read(object: RawObject<'_>, depth: usize) -> Option<Self> {
        let members = object
            .members()
            .map(|(name, value)| Some((name.to_owned(), Json::read(value, depth)?)));
        members.collect::<Option<_>>().map(Self)
    }
}

impl Json {
    fn read(value: &RawValue, depth: usize) -> Option<Self> {
        let below = depth.checked_sub(1)?;
        Some(match Shape::of(value)? {
            Shape::Null => Self::Null,
            Shape::Boolean(given) => Self::Boolean(given),
            Shape::Number(digits) => Self::Number(Number::parse(digits)?),
            Shape::Text(text) => Self::Text(text.into_owned()),
            Shape::Array(elements) => Self::Array(
                elements
                    .into_iter()
                    .map(|element| Self::read(element, below))
                    .collect::<Option<_>>()?,
            ),
            Shape::Object(object) => Self::Object(Members::read(object, below)?),
        })
    }

    fn equal(&self, stored: &RawValue) -> bool {
        let Some(shape) = Shape::of(stored) else {
            return false;
        };

        match (self, shape) {
            (Self::Null, Shape::Null) => true,
            (Self::Boolean(given), Shape::Boolean(stored)) => *given == stored,
            (Self::Number(given), Shape::Number(stored)) => {
                Number::parse(stored).is_some_and(|stored| *given == stored)
            }
            (Self::Text(given), Shape::Text(stored)) => *given == stored,
            (Self::Array(given), Shape::Array(stored)) => {
                given.len() == stored.len()
                    && given
                        .iter()
                        .zip(stored)
                        .all(|(given, stored)| given.equal(stored))
            }
            (Self::Object(given), Shape::Object(stored)) => given.equal(&stored),
            (
                Self::Null
                | Self::Boolean(_)
                | Self::Number(_)
                | Self::Text(_)
                | Self::Array(_)
                | Self::Object(_),
                Shape::Null
                | Shape::Boolean(_)
                | Shape::Number(_)
                | Shape::Text(_)
                | Shape::Array(_)
                | Shape::Object(_),
            ) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(given: &str, stored: &str) -> bool {
        Members::parse(given)
            .unwrap()
            .equal(&RawObject::parse(stored.as_bytes()).unwrap())
    }

    fn contained(given: &str, stored: &str) -> bool {
        Members::parse(given)
            .unwrap()
            .contained_in(&RawObject::parse(stored.as_bytes()).unwrap())
    }

    #[test]
    fn objects_are_equal_by_value_not_by_spelling() {
        assert!(equal(
            r#"{"a":1,"b":[true,null,"ü"]}"#,
            r#" {"b" : [true, null, "\u00fc"], "a": 1.0} "#
        ));
        assert!(equal("{}", "{ }"));
        assert!(equal(
            r#"{"a":{"b":{"c":"d"}}}"#,
            r#"{"a":{"b":{"c":"d"}}}"#
        ));
    }

    #[test]
    fn any_difference_makes_objects_unequal() {
        for stored in [
            "{}",
            r#"{"a":[1,2]}"#,
            r#"{"a":[1,2],"b":"1","c":null}"#,
            r#"{"a":[2,1],"b":"1"}"#,
            r#"{"a":[1,2,3],"b":"1"}"#,
            r#"{"a":[1,2],"b":1}"#,
            r#"{"a":[1,2],"b":null}"#,
            r#"{"a":{"0":1,"1":2},"b":"1"}"#,
        ] {
            assert!(!equal(r#"{"a":[1,2],"b":"1"}"#, stored), "{stored}");
        }
    }

    #[test]
    fn large_numbers_are_told_apart() {
        assert!(!equal(
            r#"{"a":9007199254740993}"#,
            r#"{"a":9007199254740992}"#
        ));
        assert!(equal(
            r#"{"a":9007199254740993}"#,
            r#"{"a":9007199254740993.0}"#
        ));
    }

    #[test]
    fn an_object_is_contained_with_all_its_members() {
        let stored = r#"{"a":1,"b":{"c":2,"d":3},"e":null}"#;
        for given in [
            "{}",
            r#"{"a":1}"#,
            r#"{"e":null,"a":1.0}"#,
            r#"{"b":{"d":3,"c":2}}"#,
        ] {
            assert!(contained(given, stored), "{given}");
        }

        for given in [
            r#"{"a":2}"#,
            r#"{"x":null}"#,
            r#"{"a":1,"x":1}"#,
            r#"{"b":{"c":2}}"#,
        ] {
            assert!(!contained(given, stored), "{given}");
        }
    }

    #[test]
    fn only_objects_are_read() {
        for text in [
            "",
            "1",
            "null",
            "[]",
            "{",
            r#"{"a":}"#,
            "{} {}",
            r#""{}""#,
            r#"{"a":"\ud800"}"#,
        ] {
            assert!(Members::parse(text).is_none(), "{text}");
        }

        assert!(Members::parse(" {} ").is_some());
    }

    #[test]
    fn depth_is_bounded_on_both_sides() {
        let nested =
            |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(Members::parse(&nested(MAX_DEPTH)).is_some());
        assert!(Members::parse(&nested(MAX_DEPTH + 1)).is_none());
        assert!(Members::parse(&nested(100_000)).is_none());
        assert!(!equal(&nested(MAX_DEPTH), &nested(100_000)));
    }
}
