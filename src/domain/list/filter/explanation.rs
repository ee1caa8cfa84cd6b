//! Why a value does not satisfy a filter, as part of a sentence.

use super::{AttributeKind, Comparator, Filter, FilterOperator};
use crate::domain::{
    body::excerpt,
    list::{Schema, json, operator},
};
use serde_json::value::RawValue;

impl Filter {
    /// Parses one filter by the names that a query uses for its attribute and its operator.
    ///
    /// # Errors
    /// What is wrong with the name, the operator or the value.
    pub(crate) fn parse(
        schema: Schema,
        name: &str,
        operator: &str,
        value: &str,
    ) -> Result<Self, String> {
        let path = schema
            .resolve(name)
            .map_err(|error| format!("'{name}' {error}"))?;
        let operator = operator::parse(name, operator)?;
        Self::new(path, operator, value)
    }

    /// Why this value does not satisfy the filter, as in `status was "open", wanted "resolved"`.
    /// `None` if it does. `name` is what the sentence calls the attribute.
    pub fn explain(&self, name: &str, value: Option<&RawValue>) -> Option<String> {
        if self.accepts(value) {
            return None;
        }
        Some(format!(
            "{name} {}, wanted {}",
            describe(value),
            self.wanted()
        ))
    }

    /// Whether the filter demands exactly this value.
    pub(crate) fn wants(&self, value: &str) -> bool {
        self.operator == FilterOperator::Compare(Comparator::Equal) && &*self.wanted == value
    }

    fn wanted(&self) -> String {
        let literal = |text: &str| match self.path().attribute.kind {
            AttributeKind::Number | AttributeKind::Boolean => excerpt(text),
            AttributeKind::Text | AttributeKind::Time | AttributeKind::TextArray => quoted(text),
            AttributeKind::Object | AttributeKind::ObjectArray if json::is_json(text) => {
                excerpt(text)
            }
            AttributeKind::Object | AttributeKind::ObjectArray => quoted(text),
        };

        let value = literal(&self.wanted);
        match self.operator {
            FilterOperator::Compare(Comparator::Equal) => value,
            FilterOperator::NotEqual => format!("anything else than {value}"),
            FilterOperator::Compare(Comparator::Less) => format!("less than {value}"),
            FilterOperator::Compare(Comparator::LessOrEqual) => format!("at most {value}"),
            FilterOperator::Compare(Comparator::Greater) => format!("more than {value}"),
            FilterOperator::Compare(Comparator::GreaterOrEqual) => format!("at least {value}"),
            FilterOperator::Compare(Comparator::Between) => {
                let (low, high) = self.wanted.split_once("..").unwrap_or_default();
                format!("from {} to {}", literal(low), literal(high))
            }
            FilterOperator::BeginsWith => format!("something that begins with {value}"),
            FilterOperator::Contains => format!("something that contains {value}"),
        }
    }
}

/// What a value is, as the predicate of a sentence: `was 5`, or `was missing`.
pub(crate) fn describe(value: Option<&RawValue>) -> String {
    value.map_or_else(
        || "was missing".to_owned(),
        |value| format!("was {}", excerpt(value.get())),
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", excerpt(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::list::{Attribute, AttributeKind, RawObject};

    const SCHEMA: Schema = Schema(&[
        Attribute::new("name", AttributeKind::Text),
        Attribute::new("tinyId", AttributeKind::Number),
        Attribute::new("meta", AttributeKind::Object),
    ]);

    fn explain(name: &str, operator: &str, value: &str) -> Option<String> {
        let stored = br#"{"name":"disk full","tinyId":7,"meta":{"on":true}}"#;
        let filter = Filter::parse(SCHEMA, name, operator, value).unwrap();
        let object = RawObject::parse(stored).unwrap();
        filter.explain(name, filter.path().find(&object))
    }

    #[test]
    fn explanation_names_what_was_and_what_was_wanted() {
        for (name, operator, value, expected) in [
            ("name", "equals", "x", r#"name was "disk full", wanted "x""#),
            (
                "name",
                "contains",
                "cpu",
                r#"name was "disk full", wanted something that contains "cpu""#,
            ),
            ("tinyId", "gte", "8", "tinyId was 7, wanted at least 8"),
            (
                "tinyId",
                "between",
                "8..9",
                "tinyId was 7, wanted from 8 to 9",
            ),
            (
                "tinyId",
                "ne",
                "7",
                "tinyId was 7, wanted anything else than 7",
            ),
            (
                "meta.on",
                "equals",
                "false",
                "meta.on was true, wanted false",
            ),
            (
                "meta.env",
                "equals",
                "prod",
                r#"meta.env was missing, wanted "prod""#,
            ),
        ] {
            assert_eq!(explain(name, operator, value).as_deref(), Some(expected));
        }
        assert_eq!(explain("name", "beginsWith", "disk"), None);
    }

    #[test]
    fn malformed_filter_is_refused() {
        for (name, operator, value) in [
            ("nmae", "equals", "x"),
            ("name", "like", "x"),
            ("tinyId", "equals", "x"),
        ] {
            assert!(
                Filter::parse(SCHEMA, name, operator, value).is_err(),
                "{name}"
            );
        }
    }
}
