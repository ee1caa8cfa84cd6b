//! The templates that every integration may have for the titles and descriptions of its alerts.
//!
//! The options are `title_template` and `description_template`, each with its `…_enabled`. They see
//! `data`, what was sent, and `integration`. A template that is broken or makes nothing leaves what
//! the adapter wrote. Source: PagerTree's guide to integrations.

use super::{Delivery, field::Field, template::Templates};
use crate::domain::event::Reading;
use serde_json::{Map, Value, json};

/// The reading in the integration's own words.
pub(super) fn apply(
    integration_type: &str,
    delivery: &Delivery,
    options: &Map<String, Value>,
    reading: Reading,
) -> Reading {
    let (title, description) = (
        wanted(options, "title_template"),
        wanted(options, "description_template"),
    );
    let Reading::Event(mut event) = reading else {
        return reading;
    };

    if event.may_create() && (title.is_some() || description.is_some()) {
        let templates = Templates::over(
            json!({"data": delivery.parameters(), "integration": {"type": integration_type}}),
        );
        let fill = |template: Option<String>| {
            let text = templates.fill(&template?).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        event.content.title = fill(title).unwrap_or(event.content.title);
        event.content.description = fill(description).or(event.content.description);
    }

    Reading::Event(event)
}

fn wanted(options: &Map<String, Value>, name: &str) -> Option<String> {
    let is_enabled = Field::new(options.get(&format!("{name}_enabled"))).is_yes();
    Field::new(options.get(name))
        .filled()
        .filter(|_| is_enabled)
}

#[cfg(test)]
mod tests {
    use crate::adapters::{Delivery, DeliveryParts, read};
    use crate::domain::event::Reading;
    use serde_json::{Value, json};

    fn wording(integration_type: &str, options: Value) -> (String, Option<String>) {
        let body = json!({
            "event_type": "create", "id": "1", "title": "own", "description": "own too", "extra": {"host": "db-1"},
        });

        let parts = DeliveryParts {
            body: body.to_string().into(),
            ..DeliveryParts::default()
        };

        match read(
            integration_type,
            &Delivery::new(parts),
            options.as_object().unwrap(),
        ) {
            Reading::Event(event) => (event.content.title, event.content.description),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn templates_replace_title_and_description_when_they_are_enabled() {
        let both = |title, description| (String::from(title), Some(String::from(description)));
        for (options, expected) in [
            (json!({}), both("own", "own too")),
            (
                json!({"title_template": "{{data.extra.host}}"}),
                both("own", "own too"),
            ),
            (
                json!({"title_template": " Host {{data.extra.host}} ", "title_template_enabled": true}),
                both("Host db-1", "own too"),
            ),
            (
                json!({"description_template": "{{integration.type}}: {{data.title}}", "description_template_enabled": "1"}),
                both("own", "webhook: own"),
            ),
            (
                json!({"title_template": "{{#if}", "title_template_enabled": true}),
                both("own", "own too"),
            ),
            (
                json!({"title_template": "{{data.nothing}}", "title_template_enabled": true}),
                both("own", "own too"),
            ),
            (
                json!({"title_template_enabled": true}),
                both("own", "own too"),
            ),
        ] {
            assert_eq!(wording("webhook", options.clone()), expected, "{options}");
        }
    }
}
