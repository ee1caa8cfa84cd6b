//! Lenient access to JSON values: a missing member is an empty field, never an error.

use serde_json::{Map, Value};

/// A JSON value, or nothing. JSON `null` counts as nothing, and so do the members and items of a
/// missing field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a>(Option<&'a Value>);

impl<'a> Field<'a> {
    pub(super) fn new(value: Option<&'a Value>) -> Self {
        Self(value.filter(|value| !value.is_null()))
    }

    /// The member `name` of an object.
    pub(super) fn get(self, name: &str) -> Self {
        Self::new(self.0.and_then(|value| value.get(name)))
    }

    /// The member at the end of a path of names.
    pub(super) fn dig<const N: usize>(self, path: [&str; N]) -> Self {
        path.into_iter().fold(self, Self::get)
    }

    /// The item at a position of an array.
    pub(super) fn at(self, position: usize) -> Self {
        Self::new(self.0.and_then(|value| value.get(position)))
    }

    /// Whether there is a value.
    pub(super) fn is_some(self) -> bool {
        self.0.is_some()
    }

    /// Whether there is a value other than `false`, a blank string, `[]` and `{}`.
    pub(super) fn is_present(self) -> bool {
        match self.0 {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(_)) => true,
        }
    }

    /// This field, or the other one if this is missing.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }

    /// The text of a string; JSON of any other value; `""` if missing.
    pub(super) fn text(self) -> String {
        match self.0 {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// The text, unless it is empty.
    pub(super) fn non_empty(self) -> Option<String> {
        Some(self.text()).filter(|text| !text.is_empty())
    }

    /// The text in lower case.
    pub(super) fn lowercase(self) -> String {
        self.text().to_lowercase()
    }

    /// The text in lower case, without white space at its ends.
    pub(super) fn normalized(self) -> String {
        self.text().trim().to_lowercase()
    }

    /// Whether this is a string equal to `text`.
    pub(super) fn is(self, text: &str) -> bool {
        self.0.is_some_and(|value| value.as_str() == Some(text))
    }

    pub(super) fn is_text(self) -> bool {
        self.0.is_some_and(Value::is_string)
    }

    pub(super) fn is_list(self) -> bool {
        self.0.is_some_and(Value::is_array)
    }

    /// Whether this is an object or missing. PagerTree's adapters fail on other values where they
    /// expect an object.
    pub(super) fn is_object_or_missing(self) -> bool {
        self.0.is_none_or(Value::is_object)
    }

    pub(super) fn is_text_or_missing(self) -> bool {
        self.0.is_none_or(Value::is_string)
    }

    /// Whether this is `true`, or a string or number that forms send for it.
    pub(super) fn is_true(self) -> bool {
        matches!(
            self.normalized().as_str(),
            "true" | "t" | "1" | "yes" | "on"
        )
    }

    /// A boolean, as [`Field::is_true`] reads it; the default if it is neither true nor false.
    pub(super) fn bool_or(self, default: bool) -> bool {
        let no = matches!(
            self.normalized().as_str(),
            "false" | "f" | "0" | "no" | "off"
        );
        self.is_true() || (default && !no)
    }

    /// The value; `null` if missing.
    pub(super) fn value(self) -> Value {
        self.0.cloned().unwrap_or_default()
    }

    /// The members of an object in their original order; none of anything else.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        let members = self.object().into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), Field::new(Some(value))))
    }

    pub(super) fn object(self) -> Option<&'a Map<String, Value>> {
        self.0.and_then(Value::as_object)
    }

    /// The items of an array; any other value as the only item.
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

    /// An integer, also one that was sent as a string.
    pub(super) fn integer(self) -> Option<i64> {
        match self.0? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

impl From<Field<'_>> for Value {
    fn from(field: Field<'_>) -> Self {
        field.value()
    }
}

impl From<Field<'_>> for String {
    fn from(field: Field<'_>) -> Self {
        field.text()
    }
}

/// The options of an integration.
#[derive(Clone, Copy, Debug)]
pub(super) struct VendorOptions<'a>(&'a Map<String, Value>);

impl<'a> VendorOptions<'a> {
    pub(super) fn new(options: &'a Map<String, Value>) -> Self {
        Self(options)
    }

    pub(super) fn get(self, name: &str) -> Field<'a> {
        Field::new(self.0.get(name))
    }
}

/// Joins the texts of the fields that are present.
pub(super) fn join_present<'a>(
    parts: impl IntoIterator<Item = Field<'a>>,
    separator: &str,
) -> String {
    let present: Vec<_> = parts
        .into_iter()
        .filter(|part| part.is_present())
        .map(Field::text)
        .collect();
    present.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bool_or_returns_the_default_unless_the_value_is_boolean() {
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
            assert_eq!(
                [field.bool_or(false), field.bool_or(true)],
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn join_present_skips_blank_fields() {
        let value = json!({"a": "x", "b": "", "c": 7, "e": " "});
        let field = Field::new(Some(&value));
        assert_eq!(
            join_present(["a", "b", "c", "d", "e"].map(|name| field.get(name)), "_"),
            "x_7"
        );
        assert_eq!(
            join_present(["b", "d"].map(|name| field.get(name)), "_"),
            ""
        );
    }

    #[test]
    fn members_of_missing_fields_are_missing() {
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
            assert!(!nothing.is_some());
            assert_eq!(
                (nothing.text(), nothing.value(), nothing.items().count()),
                (String::new(), Value::Null, 0)
            );
        }
    }

    #[test]
    fn integers_keep_every_digit() {
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
