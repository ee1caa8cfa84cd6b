//! Filters on arrays of objects, which pass if one of the objects does.

use serde_json::value::RawValue;

use super::any_kind::AnyKindTest;
use crate::domain::list::{
    json::Members,
    object::{self, RawObject, find_below},
    operator::FilterOperator,
};

/// A test of one object.
#[derive(Debug, Clone)]
pub(super) enum SomeObjectTest {
    Equal(Members),
    Contained(Members),
    /// Tests the value at a dotted path below the object.
    Below(String, AnyKindTest),
}

impl SomeObjectTest {
    /// `None` if a required JSON object is malformed, or `between` lacks an end.
    pub(super) fn new(below: Option<&str>, operator: FilterOperator, value: &str) -> Option<Self> {
        Some(match below {
            Some(path) => Self::Below(path.to_owned(), AnyKindTest::new(operator, value)?),
            None if operator == FilterOperator::Contains => Self::Contained(Members::parse(value)?),
            None => Self::Equal(Members::parse(value)?),
        })
    }

    /// Whether an object of the array passes.
    pub(super) fn holds(&self, array: &RawValue) -> bool {
        object::elements(array)
            .into_iter()
            .any(|element| match self {
                Self::Equal(members) => {
                    RawObject::of(element).is_some_and(|stored| members.equal(&stored))
                }
                Self::Contained(members) => {
                    RawObject::of(element).is_some_and(|stored| members.contained_in(&stored))
                }
                Self::Below(path, test) => {
                    find_below(element, path).is_some_and(|value| test.holds(value))
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::list::operator::Comparator;

    const EQUALS: FilterOperator = FilterOperator::Compare(Comparator::Equal);
    const STORED: &str = r#"[{"label":"Host","value":"db-3"},{"label":"To","value":["a@x","b@x"]},{"label":"n","value":5},7]"#;

    fn holds(below: Option<&str>, operator: FilterOperator, value: &str) -> bool {
        let stored: &RawValue = serde_json::from_str(STORED).unwrap();
        SomeObjectTest::new(below, operator, value)
            .unwrap()
            .holds(stored)
    }

    #[test]
    fn one_object_is_enough() {
        let below = |operator, value| holds(Some("value"), operator, value);
        assert!(below(EQUALS, "db-3") && below(EQUALS, "b@x") && below(EQUALS, "5.0"));
        assert!(!below(EQUALS, "db-4") && !below(EQUALS, "Host"));
        assert!(below(FilterOperator::BeginsWith, "db-") && below(FilterOperator::Contains, "-3"));
        assert!(!holds(Some("values"), EQUALS, "db-3"));
    }

    #[test]
    fn whole_objects_are_compared_as_json() {
        assert!(holds(None, EQUALS, r#"{"value":"db-3","label":"Host"}"#));
        assert!(!holds(None, EQUALS, r#"{"label":"Host"}"#));
        assert!(holds(None, FilterOperator::Contains, r#"{"label":"Host"}"#));

        // Of one object, not of several together.
        assert!(!holds(
            None,
            FilterOperator::Contains,
            r#"{"label":"Host","value":5}"#
        ));

        for value in ["db-3", "[]", r#"[{"label":"Host"}]"#] {
            assert!(
                SomeObjectTest::new(None, EQUALS, value).is_none(),
                "{value}"
            );
        }
    }
}
