//! Filters on values of undeclared type, below an attribute that is an object.
//!
//! The filter's value is parsed once as every type that it can represent; the type of the stored
//! value selects among them. An array passes if one of its elements does.

use serde_json::value::RawValue;

use super::parse_boolean;
use crate::domain::list::{
    comparison::Comparison,
    json::Members,
    number::Number,
    object::Shape,
    operator::{Comparator, FilterOperator},
};

/// A test for a value of any type.
#[derive(Debug, Clone)]
pub(super) enum AnyKindTest {
    Compare(Readings),
    BeginsWith(String),
    /// Substring, element of an array, or members of an object.
    Contains {
        part: String,
        equal: Readings,
    },
}

/// The value of a filter, parsed as every type that it can represent.
#[derive(Debug, Clone)]
pub(super) struct Readings {
    text: Comparison<String>,
    number: Option<Comparison<Number>>,
    boolean: Option<Comparison<bool>>,
    /// Equality with `null`.
    null: bool,
    /// Equality with an object, given as JSON.
    object: Option<Members>,
}

impl AnyKindTest {
    /// `None` only for a `between` without both ends, since everything can be read as text.
    pub(super) fn new(operator: FilterOperator, value: &str) -> Option<Self> {
        Some(match operator {
            FilterOperator::Compare(comparator) => Self::Compare(Readings::new(comparator, value)?),
            FilterOperator::NotEqual => Self::Compare(Readings::new(Comparator::Equal, value)?),
            FilterOperator::BeginsWith => Self::BeginsWith(value.to_owned()),
            FilterOperator::Contains => Self::Contains {
                part: value.to_owned(),
                equal: Readings::new(Comparator::Equal, value)?,
            },
        })
    }

    pub(super) fn holds(&self, value: &RawValue) -> bool {
        let Some(shape) = Shape::of(value) else {
            return false;
        };

        match (self, shape) {
            (Self::Contains { equal, .. }, Shape::Array(elements)) => {
                elements.into_iter().any(|element| equal.hold(element))
            }
            (Self::Contains { equal, .. }, Shape::Object(stored)) => equal
                .object
                .as_ref()
                .is_some_and(|members| members.contained_in(&stored)),
            (_, Shape::Array(elements)) => elements
                .into_iter()
                .filter_map(Shape::of)
                .any(|element| self.holds_once(element)),
            (_, shape) => self.holds_once(shape),
        }
    }

    /// Without looking into arrays.
    fn holds_once(&self, shape: Shape<'_>) -> bool {
        match self {
            Self::Compare(readings) => readings.hold_for(shape),
            Self::BeginsWith(start) => shape
                .written_form()
                .is_some_and(|written| written.starts_with(start)),
            Self::Contains { part, .. } => shape
                .written_form()
                .is_some_and(|written| written.contains(part)),
        }
    }
}

impl Readings {
    fn new(comparator: Comparator, value: &str) -> Option<Self> {
        let equal = comparator == Comparator::Equal;
        Some(Self {
            text: Comparison::parse_text(comparator, value)?,
            number: Comparison::parse(comparator, value, Number::parse),
            boolean: Comparison::parse(comparator, value, parse_boolean),
            null: equal && value == "null",
            object: if equal { Members::parse(value) } else { None },
        })
    }

    fn hold(&self, value: &RawValue) -> bool {
        Shape::of(value).is_some_and(|shape| self.hold_for(shape))
    }

    fn hold_for(&self, shape: Shape<'_>) -> bool {
        match shape {
            Shape::Null => self.null,
            Shape::Boolean(stored) => self
                .boolean
                .as_ref()
                .is_some_and(|asked| asked.holds(|asked| stored.cmp(asked))),
            Shape::Number(digits) => {
                let holds = |asked: &Comparison<Number>| {
                    Number::parse(digits)
                        .is_some_and(|stored| asked.holds(|asked| stored.cmp(asked)))
                };
                self.number.as_ref().is_some_and(holds)
            }
            Shape::Text(stored) => self.text.holds_for(&stored),
            Shape::Object(stored) => self
                .object
                .as_ref()
                .is_some_and(|members| members.equal(&stored)),
            // An array inside an array is a value, not a list of further elements.
            Shape::Array(_) => false,
        }
    }
}
