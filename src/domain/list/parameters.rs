//! The decoded parameters of a query, and the errors found in them.

use std::{borrow::Cow, collections::HashSet};

use crate::domain::rejection::Rejection;

/// Reserved names. Every other parameter is a filter.
const KEYWORDS: [&str; 7] = [
    "limit",
    "offset",
    "page",
    "sort",
    "sortdirection",
    "select",
    "ops",
];

/// Longer values are truncated in messages.
const MAX_QUOTED_LEN: usize = 100;

/// The parameters by name. Of duplicates, the first value.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Parameters<'a> {
    /// Decodes a query and reports duplicates.
    pub(super) fn parse(raw_query: &'a str, errors: &mut QueryErrors) -> Self {
        let (mut seen, mut reported) = (HashSet::new(), HashSet::new());
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(raw_query.as_bytes()) {
            if seen.insert(name.clone()) {
                pairs.push((name, value));
            } else if reported.insert(name.clone()) {
                errors.add(format!("{} must be given only once", quoted(&name)));
            }
        }
        Self { pairs }
    }

    /// Decodes one parameter of a query.
    pub(super) fn parse_only(name: &str, raw_query: &'a str, errors: &mut QueryErrors) -> Self {
        let values: Vec<_> = form_urlencoded::parse(raw_query.as_bytes())
            .filter(|(known, _)| known == name)
            .collect();
        if values.len() > 1 {
            errors.add(format!("{} must be given only once", quoted(name)));
        }
        Self {
            pairs: values.into_iter().take(1).collect(),
        }
    }

    /// The value of a keyword.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_ref())
    }

    /// The filters in the order of the query.
    pub(super) fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        let filters = self
            .pairs
            .iter()
            .filter(|(name, _)| !KEYWORDS.contains(&name.as_ref()));
        filters.map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// The errors of a query, one message each.
#[derive(Debug, Default)]
pub(super) struct QueryErrors(Vec<String>);

impl QueryErrors {
    /// Adds an error.
    pub(super) fn add(&mut self, message: impl Into<String>) {
        self.0.push(message.into());
    }

    /// Converts the errors, if any, into a rejection.
    pub(super) fn into_result(self) -> Result<(), Rejection> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Rejection::Invalid(self.0))
        }
    }
}

/// Quotes a name or value for a message.
pub(super) fn quoted(text: &str) -> String {
    match text
        .char_indices()
        .nth(MAX_QUOTED_LEN)
        .and_then(|(end, _)| text.get(..end))
    {
        Some(start) => format!("'{start}…'"),
        None => format!("'{text}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> (Vec<(String, String)>, Vec<String>) {
        let mut errors = QueryErrors::default();
        let pairs = Parameters::parse(query, &mut errors).pairs;
        (
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            errors.0,
        )
    }

    #[test]
    fn names_and_values_are_decoded() {
        let (pairs, errors) = parse("&&n%61me=a+b%20c%26%3D&flag&empty=&x=a=b&broken=%ff%zz&");
        let expected = [
            ("name", "a b c&="),
            ("flag", ""),
            ("empty", ""),
            ("x", "a=b"),
            ("broken", "\u{fffd}%zz"),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(errors.is_empty());
    }

    #[test]
    fn a_parameter_given_again_is_reported_once() {
        let (pairs, errors) = parse("a=1&b=1&a=2&%61=3&b=2");
        assert_eq!(pairs.len(), 2);
        assert_eq!(
            errors,
            ["'a' must be given only once", "'b' must be given only once"]
        );
    }

    #[test]
    fn whatever_is_no_keyword_is_a_filter() {
        let mut errors = QueryErrors::default();
        let parameters =
            Parameters::parse("limit=1&name=x&sort=name&Limit=2&meta.page=3", &mut errors);
        assert_eq!(
            parameters.filters().collect::<Vec<_>>(),
            [("name", "x"), ("Limit", "2"), ("meta.page", "3")]
        );
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(quoted("short"), "'short'");
        assert_eq!(quoted(&"ü".repeat(100)), format!("'{}'", "ü".repeat(100)));
        assert_eq!(quoted(&"ü".repeat(101)), format!("'{}…'", "ü".repeat(100)));
    }
}
