//! Truncates the contents of events to the size limits of alerts.

use super::{
    event::{AdditionalDatum, Content},
    limits::{
        MAX_ADDITIONAL_DATA, MAX_DESCRIPTION_LEN, MAX_TAG_LEN, MAX_TAGS, MAX_TITLE_LEN, truncate,
    },
};
use serde_json::{Map, Value};

impl Content {
    /// Truncates the content to the limits of an alert.
    pub fn truncate(&mut self) {
        truncate(&mut self.title, MAX_TITLE_LEN);
        if let Some(description) = &mut self.description {
            truncate(description, MAX_DESCRIPTION_LEN);
        }
        for words in [&mut self.tags, &mut self.dedup_keys] {
            words.truncate(MAX_TAGS);
            words
                .iter_mut()
                .for_each(|word| truncate(word, MAX_TAG_LEN));
        }
        self.additional_data.truncate(MAX_ADDITIONAL_DATA);
        self.additional_data.retain_mut(truncate_datum);
        truncate_members(&mut self.meta);
    }
}

/// Truncates the texts of a field. Returns whether the field is within the limit.
fn truncate_datum(datum: &mut AdditionalDatum) -> bool {
    truncate(&mut datum.label, MAX_TAG_LEN);
    if let Value::String(text) = &mut datum.value {
        truncate(text, MAX_DESCRIPTION_LEN);
        return true;
    }
    datum.value.to_string().len() <= MAX_DESCRIPTION_LEN
}

/// Drops all members after the first one that exceeds the limit.
fn truncate_members(members: &mut Map<String, Value>) {
    let mut left = MAX_DESCRIPTION_LEN;
    members.retain(|name, value| {
        let wanted = name.len().saturating_add(value.to_string().len());
        let fits = wanted <= left;
        left = if fits { left - wanted } else { 0 };
        fits
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::DatumKind;
    use serde_json::json;

    #[test]
    fn what_is_too_much_is_cut_and_the_rest_stays() {
        let datum = |value| AdditionalDatum {
            kind: DatumKind::Text,
            label: "é".repeat(300),
            value,
        };

        let mut content = Content {
            title: "é".repeat(MAX_TITLE_LEN + 1),
            description: Some("x".repeat(MAX_DESCRIPTION_LEN + 1)),
            tags: vec!["t".repeat(MAX_TAG_LEN + 1); MAX_TAGS + 1],
            additional_data: vec![
                datum(json!("x".repeat(70_000))),
                datum(json!([0; 70_000].to_vec())),
                datum(json!(1)),
            ],
            meta: json!({"a": 1, "b": "x".repeat(70_000), "c": 2})
                .as_object()
                .unwrap()
                .clone(),
            ..Content::default()
        };

        content.truncate();
        assert_eq!(content.title, "é".repeat(MAX_TITLE_LEN));
        assert_eq!(content.description.unwrap().len(), MAX_DESCRIPTION_LEN);
        assert_eq!(
            (content.tags.len(), content.tags[0].len()),
            (MAX_TAGS, MAX_TAG_LEN)
        );

        let values: Vec<_> = content
            .additional_data
            .iter()
            .map(|datum| datum.value.to_string().len())
            .collect();

        assert_eq!(values, [MAX_DESCRIPTION_LEN + 2, 1]);
        assert_eq!(content.meta, json!({"a": 1}).as_object().unwrap().clone());
    }
}
