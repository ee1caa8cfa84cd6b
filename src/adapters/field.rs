//! A value somewhere in what was sent, which may be there or not, and of any kind.

use serde_json::{Map, Value};

/// A place in a JSON value. Going on from a place where nothing is leads nowhere, and is no fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a>(Option<&'a Value>);

impl<'a> Field<'a> {
    pub(super) fn new(value: Option<&'a Value>) -> Self {
        Self(value.filter(|value| !value.is_null()))
    }

    /// The member of this name, if this is an object.
    pub(super) fn get(self, name: &str) -> Self {
        Self::new(self.0.and_then(|value| value.get(name)))
    }

    /// The member at the end of a path of names.
    pub(super) fn dig<const N: usize>(self, path: [&str; N]) -> Self {
        path.into_iter().fold(self, Self::get)
    }

    /// The item at this position, if this is an array.
    pub(super) fn at(self, position: usize) -> Self {
        Self::new(self.0.and_then(|value| value.get(position)))
    }

    /// Whether anything is here.
    pub(super) fn is_there(self) -> bool {
        self.0.is_some()
    }

    /// Whether anything but false and an empty text, list or object is here.
    pub(super) fn is_filled(self) -> bool {
        match self.0 {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(_)) => true,
        }
    }

    /// This, or if nothing is here, the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }

    /// As a text: texts as they are, anything else as JSON, nothing as the empty text.
    pub(super) fn text(self) -> String {
        match self.0 {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// As a text, if anything but an empty text is here.
    pub(super) fn filled(self) -> Option<String> {
        Some(self.text()).filter(|text| !text.is_empty())
    }

    /// As a text in lower case.
    pub(super) fn lower(self) -> String {
        self.text().to_lowercase()
    }

    /// As a text without white space at its ends, in lower case.
    pub(super) fn word(self) -> String {
        self.text().trim().to_lowercase()
    }

    /// Whether it is this text.
    pub(super) fn is(self, text: &str) -> bool {
        self.0.is_some_and(|value| value.as_str() == Some(text))
    }

    /// Whether it is a text at all.
    pub(super) fn is_text(self) -> bool {
        self.0.is_some_and(Value::is_string)
    }

    /// Whether it is a list.
    pub(super) fn is_list(self) -> bool {
        self.0.is_some_and(Value::is_array)
    }

    /// Whether this is an object, or nothing: only of these can PagerTree's adapters ask for
    /// members.
    pub(super) fn may_have_members(self) -> bool {
        self.0.is_none_or(Value::is_object)
    }

    /// Whether this is a text, or nothing.
    pub(super) fn may_be_text(self) -> bool {
        self.0.is_none_or(Value::is_string)
    }

    /// Whether it is a yes: true, or one of the texts and numbers that forms send for it.
    pub(super) fn is_yes(self) -> bool {
        matches!(self.word().as_str(), "true" | "t" | "1" | "yes" | "on")
    }

    /// Yes or no, as [`Field::is_yes`] reads it; the default if it is neither.
    pub(super) fn flag(self, default: bool) -> bool {
        let no = matches!(self.word().as_str(), "false" | "f" | "0" | "no" | "off");
        self.is_yes() || (default && !no)
    }

    /// The value itself; null if nothing is here.
    pub(super) fn value(self) -> Value {
        self.0.cloned().unwrap_or_default()
    }

    /// The members, if this is an object, in the order in which they were sent.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        let members = self.object().into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), Field::new(Some(value))))
    }

    /// The object, if this is one.
    pub(super) fn object(self) -> Option<&'a Map<String, Value>> {
        self.0.and_then(Value::as_object)
    }

    /// The items, if this is an array; else the value itself as the only one, if there is any.
    pub(super) fn items(self) -> impl Iterator<Item = Field<'a>> {
        let (items, single) = match self.0 {
            Some(Value::Array(items)) => (items.as_slice(), None),
            other => (&[][..], other),
        };
        items
            .iter()
            .chain(single)
            .map(|value| Field::new(Some(value)))
    }

    /// As a whole number; also one that was sent as a text.
    pub(super) fn integer(self) -> Option<i64> {
        match self.0? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// What is filled of these, in one text.
pub(super) fn joined<'a>(parts: impl IntoIterator<Item = Field<'a>>, separator: &str) -> Value {
    let filled: Vec<_> = parts
        .into_iter()
        .filter(|part| part.is_filled())
        .map(Field::text)
        .collect();
    filled.join(separator).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_flag_is_its_default_unless_it_says_yes_or_no() {
        for (value, expected) in [
            (json!(null), [false, true]),
            (json!(""), [false, true]),
            (json!("perhaps"), [false, true]),
            (json!(true), [true, true]),
            (json!("ON"), [true, true]),
            (json!(1), [true, true]),
            (json!(false), [false, false]),
            (json!(" off "), [false, false]),
            (json!(0), [false, false]),
        ] {
            let field = Field::new(Some(&value));
            assert_eq!([field.flag(false), field.flag(true)], expected, "{value}");
        }
    }

    #[test]
    fn only_what_is_filled_is_joined() {
        let value = json!({"a": "x", "b": "", "c": 7, "e": " "});
        let field = Field::new(Some(&value));
        assert_eq!(
            joined(["a", "b", "c", "d", "e"].map(|name| field.get(name)), "_"),
            "x_7"
        );
        assert_eq!(joined(["b", "d"].map(|name| field.get(name)), "_"), "");
    }

    #[test]
    fn going_on_from_nowhere_leads_nowhere() {
        let value = json!({"a": {"b": [1, "two", null]}, "n": null});
        let field = Field::new(Some(&value));
        assert_eq!(field.dig(["a", "b"]).at(1).text(), "two");
        assert_eq!(field.dig(["a", "b"]).at(0).text(), "1");

        for nothing in [
            field.dig(["a", "x", "y"]),
            field.dig(["a", "b"]).at(2),
            field.get("n"),
            field.get("a").at(0),
        ] {
            assert!(!nothing.is_there());
            assert_eq!(
                (nothing.text(), nothing.value(), nothing.items().count()),
                (String::new(), Value::Null, 0)
            );
        }
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        let value: Value =
            serde_json::from_str(r#"[285731000000025120, 1e3, "42", true]"#).unwrap();
        let field = Field::new(Some(&value));

        assert_eq!(field.at(0).text(), "285731000000025120");
        assert_eq!(
            [
                field.at(0).integer(),
                field.at(2).integer(),
                field.at(3).integer()
            ],
            [Some(285_731_000_000_025_120), Some(42), None]
        );
    }
}
