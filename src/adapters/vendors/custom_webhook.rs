//! `custom_webhook`: any request, interpreted by the rules of the option `custom_definition`.

use super::prelude::*;
use crate::adapters::custom_definition;
use serde_json::{Map, Value, json};

pub(super) const VENDOR: Vendor = Vendor {
    missing_id: MissingId::Generate,
    batches: Batches::Whole,
    ..Vendor::new("custom_webhook", parse)
};

const DEFAULT_TITLE: &str = "Untitled Alert";

fn parse(request: &InboundRequest, options: Options<'_>) -> ParsedEvent {
    let definition = options.get("custom_definition").text();
    custom_definition::apply(&definition, log(request), |kind, action| {
        let title = action.get("title").non_empty();
        custom_definition::build_event(kind, action, action.get("thirdparty_id"))
            .title(title.unwrap_or_else(|| DEFAULT_TITLE.to_owned()))
            .description(Field::new(Some(&action.get("description").text().into())))
            .build()
    })
}

/// A request as rules and templates see it.
fn log(request: &InboundRequest) -> Value {
    let (parts, parameters) = (request.parts(), request.parameters());
    let body = request.text();
    let sent = parameters
        .as_object()
        .is_some_and(|parameters| !parameters.is_empty());
    let data = if sent {
        parameters.clone()
    } else {
        body.as_ref().into()
    };

    let named = |(name, value): &(String, String)| {
        [
            (name.clone(), value.as_str().into()),
            (title_case(name), value.as_str().into()),
        ]
    };

    let headers: Map<String, Value> = parts.headers.iter().flat_map(named).collect();
    json!({
        "data": data, "params": parameters, "headers": headers, "body": body, "method": parts.method,
    })
}

/// Converts `content-type` to `Content-Type`.
fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}
