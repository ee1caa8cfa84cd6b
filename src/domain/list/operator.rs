//! Filter operators: `ops=<attribute>:<operator>`, comma-separated.

use std::collections::{HashMap, HashSet};

use super::parameters::{Parameters, QueryErrors, quoted};

/// The operator of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterOperator {
    Compare(Comparator),
    /// The exact negation of equals.
    NotEqual,
    BeginsWith,
    Contains,
}

/// The operators based on order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// An inclusive range.
    Between,
}

const OPERATORS: [(&str, FilterOperator); 9] = [
    ("equals", FilterOperator::Compare(Comparator::Equal)),
    ("ne", FilterOperator::NotEqual),
    ("lt", FilterOperator::Compare(Comparator::Less)),
    ("lte", FilterOperator::Compare(Comparator::LessOrEqual)),
    ("gt", FilterOperator::Compare(Comparator::Greater)),
    ("gte", FilterOperator::Compare(Comparator::GreaterOrEqual)),
    ("beginsWith", FilterOperator::BeginsWith),
    ("contains", FilterOperator::Contains),
    ("between", FilterOperator::Compare(Comparator::Between)),
];

impl FilterOperator {
    fn parse(name: &str) -> Option<Self> {
        OPERATORS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, operator)| *operator)
    }

    /// The name in `ops`.
    pub(super) fn name(self) -> &'static str {
        OPERATORS
            .iter()
            .find(|(_, operator)| *operator == self)
            .map_or("equals", |(name, _)| name)
    }
}

/// The operator with this name in `ops`.
///
/// # Errors
/// There is no such operator.
pub(super) fn parse(name: &str, operator: &str) -> Result<FilterOperator, String> {
    FilterOperator::parse(operator).ok_or_else(|| unknown_operator(name, operator))
}

/// The operators of a query by attribute name.
#[derive(Debug)]
pub(super) struct Operators<'a> {
    /// `None` for an invalid operator, which has been reported already.
    named: HashMap<&'a str, Option<FilterOperator>>,
}

impl<'a> Operators<'a> {
    /// Parses `ops`.
    pub(super) fn read(parameters: &'a Parameters<'_>, errors: &mut QueryErrors) -> Self {
        let filtered: HashSet<&str> = parameters.filters().map(|(name, _)| name).collect();
        let mut named = HashMap::new();
        for pair in parameters
            .get("ops")
            .into_iter()
            .flat_map(|ops| ops.split(','))
            .map(str::trim)
        {
            // From the right: a name may contain a colon, an operator does not.
            let Some((name, operator)) = pair.rsplit_once(':').filter(|(name, _)| !name.is_empty())
            else {
                errors.add(format!(
                    "'ops' must be pairs like name:contains, comma separated, but has {}",
                    quoted(pair)
                ));
                continue;
            };

            if !filtered.contains(name) {
                errors.add(format!(
                    "{} in 'ops' must be given as a filter too",
                    quoted(name)
                ));
            }

            let known = FilterOperator::parse(operator);
            if known.is_none() {
                errors.add(unknown_operator(name, operator));
            }

            if named.insert(name, known).is_some() {
                errors.add(format!(
                    "{} must have only one operator in 'ops'",
                    quoted(name)
                ));
            }
        }

        Self { named }
    }

    /// The operator of a filter. `None` if it is invalid.
    pub(super) fn of(&self, name: &str) -> Option<FilterOperator> {
        self.named
            .get(name)
            .copied()
            .unwrap_or(Some(FilterOperator::Compare(Comparator::Equal)))
    }
}

fn unknown_operator(name: &str, operator: &str) -> String {
    let known = OPERATORS.map(|(known, _)| known).join(", ");
    format!(
        "the operator of {} in 'ops' must be one of {known}, but was {}",
        quoted(name),
        quoted(operator)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(query: &str) -> Vec<String> {
        let mut errors = QueryErrors::default();
        let parameters = Parameters::parse(query, &mut errors);
        Operators::read(&parameters, &mut errors);
        errors
            .into_result()
            .map_or_else(|rejection| rejection.messages(), |()| Vec::new())
    }

    fn operator(query: &str, name: &str) -> Option<FilterOperator> {
        let mut errors = QueryErrors::default();
        let parameters = Parameters::parse(query, &mut errors);
        Operators::read(&parameters, &mut errors).of(name)
    }

    #[test]
    fn every_operator_has_its_name() {
        for (name, expected) in OPERATORS {
            assert_eq!(operator(&format!("a=1&ops=a:{name}"), "a"), Some(expected));
            assert_eq!(expected.name(), name);
        }
    }

    #[test]
    fn several_are_comma_separated_and_the_rest_is_equals() {
        let query = "a=1&meta.b:c=2&d=3&ops=a:lt,%20meta.b:c:ne";
        assert_eq!(
            operator(query, "a"),
            Some(FilterOperator::Compare(Comparator::Less))
        );
        assert_eq!(operator(query, "meta.b:c"), Some(FilterOperator::NotEqual));
        assert_eq!(
            operator(query, "d"),
            Some(FilterOperator::Compare(Comparator::Equal))
        );
    }

    #[test]
    fn malformed_pairs_are_refused() {
        for (query, quoted) in [
            ("ops=", "''"),
            ("a=1&ops=a", "'a'"),
            ("ops=:lt", "':lt'"),
            ("a=1&ops=a:lt,", "''"),
        ] {
            let expected = format!(
                "'ops' must be pairs like name:contains, comma separated, but has {quoted}"
            );
            assert_eq!(messages(query), [expected], "{query}");
        }
    }

    #[test]
    fn unknown_operators_are_answered_with_the_known_ones() {
        let known = "equals, ne, lt, lte, gt, gte, beginsWith, contains, between";
        for operator in ["like", "", "LT", "beginswith"] {
            let expected = format!(
                "the operator of 'a' in 'ops' must be one of {known}, but was '{operator}'"
            );
            assert_eq!(messages(&format!("a=1&ops=a:{operator}")), [expected]);
        }
    }

    #[test]
    fn an_operator_needs_its_filter() {
        assert_eq!(
            messages("a=1&ops=b:lt"),
            ["'b' in 'ops' must be given as a filter too"]
        );
    }

    #[test]
    fn an_attribute_has_one_operator() {
        assert_eq!(
            messages("a=1&ops=a:lt,a:lt"),
            ["'a' must have only one operator in 'ops'"]
        );
    }
}
