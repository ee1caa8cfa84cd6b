//! Templates for the titles and descriptions of alerts, available to nearly all types.
//!
//! The options are `title_template` and `description_template`, each with its `…_enabled`.
//! Templates see `data`, the parameters, and `integration`. If a template is faulty or renders a
//! blank text, the adapter's own text remains. Source: PagerTree's guide to integrations.

use super::{InboundRequest, field::VendorOptions, template::Templates, vendor::Vendor};
use crate::domain::event::ParsedEvent;
use serde_json::{Value, json};

/// Renders the templates of an integration, if the event may create an alert. An error costs only
/// its template, and shows in the log.
pub(super) fn apply(
    vendor: &Vendor,
    integration: &Value,
    request: &InboundRequest,
    options: VendorOptions<'_>,
    parsed: ParsedEvent,
) -> ParsedEvent {
    let templates = ["title_template", "description_template"]
        .map(|name| enabled_template(options, name).map(|template| (name, template)));
    let ParsedEvent::Event(mut event) = parsed else {
        return parsed;
    };
    if !event.may_create() || templates.iter().all(Option::is_none) {
        return ParsedEvent::Event(event);
    }

    let mut data = request.all().object().cloned().unwrap_or_default();
    if let Some(template_data) = vendor.template_data {
        data.extend(template_data(request, options));
    }
    let renderer = Templates::new(
        json!({"data": data, "integration": integration, "log": request.log()}),
        request.now(),
    );

    for (name, template) in templates.into_iter().flatten() {
        let place = format!("options.{name}");
        let text = match renderer.render(&template) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => {
                event.interpretation.add_error(place, error);
                continue;
            }
        };

        if !text.is_empty() {
            if name == "title_template" {
                text.clone_into(&mut event.content.title);
            } else {
                event.content.description = Some(text.clone());
            }
        }
        event.interpretation.rendered.push((place, text));
    }

    ParsedEvent::Event(event)
}

fn enabled_template(options: VendorOptions<'_>, name: &str) -> Option<String> {
    let is_enabled = options.get(&format!("{name}_enabled")).is_true();
    options.get(name).non_empty().filter(|_| is_enabled)
}

#[cfg(test)]
mod tests {
    use crate::adapters::{InboundRequest, RequestParts, parse};
    use crate::domain::event::ParsedEvent;
    use serde_json::{Value, json};

    fn wording(integration_type: &str, options: Value) -> (String, Option<String>) {
        let body = json!({
            "event_type": "create", "id": "1", "title": "own", "description": "own too", "extra": {"host": "db-1"},
        });

        let parts = RequestParts {
            body: body.to_string().into(),
            ..RequestParts::default()
        };

        match parse(
            integration_type,
            &InboundRequest::new(parts),
            options.as_object().unwrap(),
        ) {
            ParsedEvent::Event(event) => (event.content.title, event.content.description),
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
