//! `select=sid,id`: responses with only the selected attributes.

use super::{
    object::RawObject,
    parameters::{Parameters, QueryErrors, quoted},
    schema::Schema,
};
use crate::domain::rejection::Rejection;

/// The selected attributes, in the order of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    attributes: Vec<&'static str>,
}

impl Select {
    /// Parses `select` from the query of a single object, ignoring other parameters.
    ///
    /// # Errors
    /// `Rejection::Invalid` for an empty list, an unknown attribute, or a duplicate `select`.
    pub fn parse_query(schema: Schema, raw_query: &str) -> Result<Option<Self>, Rejection> {
        let mut errors = QueryErrors::default();
        let parameters = Parameters::parse_only("select", raw_query, &mut errors);
        let select = Self::read(schema, &parameters, &mut errors);
        errors.into_result().map(|()| select)
    }

    /// Parses `select` from the query of a list.
    pub(super) fn read(
        schema: Schema,
        parameters: &Parameters,
        errors: &mut QueryErrors,
    ) -> Option<Self> {
        let value = parameters.get("select")?;
        if value.trim().is_empty() {
            errors.add(format!(
                "'select' must name at least one attribute; there are {}",
                schema.names()
            ));
            return None;
        }

        let asked: Vec<&str> = value.split(',').map(str::trim).collect();
        for name in asked.iter().filter(|name| schema.find(name).is_none()) {
            errors.add(format!(
                "{} in 'select' is not an attribute; there are {}",
                quoted(name),
                schema.names()
            ));
        }

        let attributes = schema
            .0
            .iter()
            .map(|attribute| attribute.name)
            .filter(|name| asked.contains(name))
            .collect();

        Some(Self { attributes })
    }

    /// Reduces the object to the selected attributes, with values byte for byte as stored. Missing
    /// attributes are omitted.
    ///
    /// # Errors
    /// The stored bytes are not a JSON object.
    pub fn apply(&self, stored: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        let object = RawObject::parse(stored)?;
        let mut selected = Vec::with_capacity(stored.len().min(256));
        selected.push(b'{');

        for name in &self.attributes {
            let Some(value) = object.get(name) else {
                continue;
            };
            if selected.len() > 1 {
                selected.push(b',');
            }
            serde_json::to_writer(&mut selected, name)?;
            selected.push(b':');
            selected.extend_from_slice(value.get().as_bytes());
        }

        selected.push(b'}');
        Ok(selected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::list::schema::{Attribute, AttributeKind};

    const SCHEMA: Schema = Schema(&[
        Attribute::new("sid", AttributeKind::Text),
        Attribute::new("id", AttributeKind::Text),
        Attribute::new("tinyId", AttributeKind::Number),
        Attribute::new("meta", AttributeKind::Object),
    ]);

    fn apply(query: &str, stored: &str) -> String {
        let select = Select::parse_query(SCHEMA, query).unwrap().unwrap();
        String::from_utf8(select.apply(stored.as_bytes()).unwrap()).unwrap()
    }

    fn messages(query: &str) -> Vec<String> {
        Select::parse_query(SCHEMA, query).unwrap_err().messages()
    }

    #[test]
    fn only_the_attributes_asked_for_are_answered_in_the_order_of_the_object() {
        let stored = r#"{"sid":"acc_1","id":"int_1","tinyId":7,"meta":{}}"#;
        assert_eq!(
            apply("select=tinyId,sid", stored),
            r#"{"sid":"acc_1","tinyId":7}"#
        );
        assert_eq!(apply("select=id,%20id,id", stored), r#"{"id":"int_1"}"#);
    }

    #[test]
    fn values_are_copied_byte_for_byte() {
        let stored = r#"{"meta": {"a" : 1.50e+3, "ü":"\u00fc"} ,"tinyId":12345678901234567890123}"#;
        let expected = r#"{"tinyId":12345678901234567890123,"meta":{"a" : 1.50e+3, "ü":"\u00fc"}}"#;
        assert_eq!(apply("select=meta,tinyId", stored), expected);
    }

    #[test]
    fn an_attribute_that_the_object_lacks_is_left_out() {
        assert_eq!(
            apply("select=meta,id", r#"{"id":"int_1"}"#),
            r#"{"id":"int_1"}"#
        );
        assert_eq!(apply("select=meta", r#"{"id":"int_1"}"#), "{}");
    }

    #[test]
    fn without_select_there_is_nothing_to_select_and_other_parameters_do_not_matter() {
        assert_eq!(
            Select::parse_query(SCHEMA, "limit=x&colour=red&a=1&a=2"),
            Ok(None)
        );
    }

    #[test]
    fn an_empty_list_and_unknown_attributes_are_refused() {
        assert_eq!(
            messages("select="),
            ["'select' must name at least one attribute; there are sid, id, tinyId, meta"]
        );
        assert_eq!(
            messages("select=id,meta.env,,x"),
            [
                "'meta.env' in 'select' is not an attribute; there are sid, id, tinyId, meta",
                "'' in 'select' is not an attribute; there are sid, id, tinyId, meta",
                "'x' in 'select' is not an attribute; there are sid, id, tinyId, meta",
            ]
        );
        assert_eq!(
            messages("select=id&select=sid"),
            ["'select' must be given only once"]
        );
    }

    #[test]
    fn stored_bytes_that_are_no_object_are_an_error() {
        let select = Select::parse_query(SCHEMA, "select=id").unwrap().unwrap();
        assert!(select.apply(b"[]").is_err());
    }
}
