//! Comparisons with one or two values parsed from the query.

use std::cmp::Ordering;

use super::operator::Comparator;

/// A test of a stored value's order relative to given values.
#[derive(Debug, Clone)]
pub(super) enum Comparison<T> {
    Equal(T),
    Less(T),
    LessOrEqual(T),
    Greater(T),
    GreaterOrEqual(T),
    Between(T, T),
}

impl<T> Comparison<T> {
    /// Parses the value of a filter. `None` if it is malformed, or for `between` one of its halves.
    pub(super) fn parse(
        comparator: Comparator,
        value: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Self> {
        Some(match comparator {
            Comparator::Equal => Self::Equal(read(value)?),
            Comparator::Less => Self::Less(read(value)?),
            Comparator::LessOrEqual => Self::LessOrEqual(read(value)?),
            Comparator::Greater => Self::Greater(read(value)?),
            Comparator::GreaterOrEqual => Self::GreaterOrEqual(read(value)?),
            Comparator::Between => {
                let (low, high) = value
                    .split_once("..")
                    .filter(|(low, high)| !low.is_empty() && !high.is_empty())?;
                Self::Between(read(low)?, read(high)?)
            }
        })
    }

    /// Whether the stored value passes. `compare` orders the stored value relative to a given one.
    pub(super) fn holds(&self, compare: impl Fn(&T) -> Ordering) -> bool {
        match self {
            Self::Equal(value) => compare(value).is_eq(),
            Self::Less(value) => compare(value).is_lt(),
            Self::LessOrEqual(value) => compare(value).is_le(),
            Self::Greater(value) => compare(value).is_gt(),
            Self::GreaterOrEqual(value) => compare(value).is_ge(),
            Self::Between(low, high) => compare(low).is_ge() && compare(high).is_le(),
        }
    }
}

impl Comparison<String> {
    /// Parses the value of a filter as text.
    pub(super) fn parse_text(comparator: Comparator, value: &str) -> Option<Self> {
        Self::parse(comparator, value, |text| Some(text.to_owned()))
    }

    /// Whether a stored text passes, compared by bytes.
    pub(super) fn holds_for(&self, stored: &str) -> bool {
        self.holds(|value| stored.cmp(value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(comparator: Comparator, value: &str) -> [bool; 5] {
        let comparison =
            Comparison::parse(comparator, value, |text| text.parse::<i32>().ok()).unwrap();
        [1, 2, 3, 4, 5].map(|stored: i32| comparison.holds(|value| stored.cmp(value)))
    }

    #[test]
    fn each_comparator_says_yes_where_its_name_says() {
        assert_eq!(
            holds(Comparator::Equal, "3"),
            [false, false, true, false, false]
        );
        assert_eq!(
            holds(Comparator::Less, "3"),
            [true, true, false, false, false]
        );
        assert_eq!(
            holds(Comparator::LessOrEqual, "3"),
            [true, true, true, false, false]
        );
        assert_eq!(
            holds(Comparator::Greater, "3"),
            [false, false, false, true, true]
        );
        assert_eq!(
            holds(Comparator::GreaterOrEqual, "3"),
            [false, false, true, true, true]
        );
        assert_eq!(
            holds(Comparator::Between, "2..4"),
            [false, true, true, true, false]
        );
        assert_eq!(holds(Comparator::Between, "4..2"), [false; 5]);
    }

    #[test]
    fn between_needs_both_ends() {
        for value in ["2", "2..", "..4", "..", "", "2.4", "2-4"] {
            assert!(
                Comparison::parse_text(Comparator::Between, value).is_none(),
                "{value}"
            );
        }
    }

    #[test]
    fn text_is_ordered_by_bytes() {
        let after_z = Comparison::parse_text(Comparator::Greater, "Z").unwrap();
        assert_eq!(
            ["A", "Z", "a", "é", ""].map(|stored| after_z.holds_for(stored)),
            [false, false, true, true, false]
        );
    }
}
