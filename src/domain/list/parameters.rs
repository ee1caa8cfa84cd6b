//! The parameters of a query, decoded once, and the faults found while they are read.

use std::{borrow::Cow, collections::HashSet};

use crate::domain::rejection::Rejection;

/// Names with a meaning of their own; every other parameter is a filter.
const KEYWORDS: [&str; 7] = [
    "limit",
    "offset",
    "page",
    "sort",
    "sortdirection",
    "select",
    "ops",
];

/// Longer values are cut in messages: the caller knows what was sent, and the message should stay a
/// sentence.
const SHOWN_CHARACTERS: usize = 100;

/// Every parameter, by name; of one that was given twice, the first value.
#[derive(Debug)]
pub(super) struct Parameters<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Parameters<'a> {
    /// Decodes a query and reports what was given twice.
    pub(super) fn parse(raw_query: &'a str, faults: &mut Faults) -> Self {
        let (mut seen, mut reported) = (HashSet::new(), HashSet::new());
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(raw_query.as_bytes()) {
            if seen.insert(name.clone()) {
                pairs.push((name, value));
            } else if reported.insert(name.clone()) {
                faults.add(format!("{} must be given only once", shown(&name)));
            }
        }
        Self { pairs }
    }

    /// Decodes a query of which only one parameter matters.
    pub(super) fn parse_only(name: &str, raw_query: &'a str, faults: &mut Faults) -> Self {
        let values: Vec<_> = form_urlencoded::parse(raw_query.as_bytes())
            .filter(|(known, _)| known == name)
            .collect();
        if values.len() > 1 {
            faults.add(format!("{} must be given only once", shown(name)));
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

    /// Every filter, in the order in which they were sent.
    pub(super) fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        let filters = self
            .pairs
            .iter()
            .filter(|(name, _)| !KEYWORDS.contains(&name.as_ref()));
        filters.map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// What is wrong with a query, one sentence each.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<String>);

impl Faults {
    /// One more fault.
    pub(super) fn add(&mut self, message: impl Into<String>) {
        self.0.push(message.into());
    }

    /// All faults as one rejection, if there are any.
    pub(super) fn into_result(self) -> Result<(), Rejection> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Rejection::Invalid(self.0))
        }
    }
}

/// A name or value in quotes, as messages show it.
pub(super) fn shown(text: &str) -> String {
    match text
        .char_indices()
        .nth(SHOWN_CHARACTERS)
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
        let mut faults = Faults::default();
        let pairs = Parameters::parse(query, &mut faults).pairs;
        (
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            faults.0,
        )
    }

    #[test]
    fn names_and_values_are_decoded() {
        let (pairs, faults) = parse("&&n%61me=a+b%20c%26%3D&flag&empty=&x=a=b&broken=%ff%zz&");
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
        assert!(faults.is_empty());
    }

    #[test]
    fn a_parameter_given_again_is_reported_once() {
        let (pairs, faults) = parse("a=1&b=1&a=2&%61=3&b=2");
        assert_eq!(pairs.len(), 2);
        assert_eq!(
            faults,
            ["'a' must be given only once", "'b' must be given only once"]
        );
    }

    #[test]
    fn whatever_is_no_keyword_is_a_filter() {
        let mut faults = Faults::default();
        let parameters =
            Parameters::parse("limit=1&name=x&sort=name&Limit=2&meta.page=3", &mut faults);
        assert_eq!(
            parameters.filters().collect::<Vec<_>>(),
            [("name", "x"), ("Limit", "2"), ("meta.page", "3")]
        );
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(shown("short"), "'short'");
        assert_eq!(shown(&"ü".repeat(100)), format!("'{}'", "ü".repeat(100)));
        assert_eq!(shown(&"ü".repeat(101)), format!("'{}…'", "ü".repeat(100)));
    }
}
