//! Adapters: what the requests of third parties mean.
//!
//! An adapter is a pure function from a request and the options of its integration to a
//! [`ParsedEvent`]. It knows its vendor's format, and nothing of alerts, of the store or of earlier
//! requests. It never fails: a request that makes no sense is ignored, with a reason. The formats
//! come from PagerTree's public adapters and guides, and from the vendors' documentation.
//!
//! Each vendor has a file in `vendors/` with its descriptor and its parser; `vendors.rs` lists them
//! and says how to add one. The other modules here are the tools that vendors share.

mod builder;
mod charset;
mod compare;
mod custom_definition;
mod ecmascript;
mod event_body;
mod field;
mod html;
mod html_cost;
mod html_tokens;
mod instants;
mod jmespath;
mod lenient_json;
mod moment;
mod nested_params;
mod request;
mod response_body;
mod ruby_text;
mod secret;
mod template;
mod title_templates;
mod urgency;
mod vendor;
mod vendors;

pub use request::{InboundRequest, RequestParts};
pub use response_body::ResponseBody;

use crate::domain::{
    event::ParsedEvent, integration::Integration, thirdparty_id, webhook as webhook_out,
};
use builder::ignored;
use field::VendorOptions;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use vendor::{MissingId, Vendor};

/// Decodes bytes as UTF-8, or as an older charset where they are not valid UTF-8.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    charset::decode(bytes, "")
}

/// Parses a request to an integration of this type. If its body has several events, each becomes a
/// request of its own, as if it had been sent alone: the first, and the others.
pub fn split_request(
    parts: RequestParts,
    integration_type: &str,
) -> (InboundRequest, Vec<InboundRequest>) {
    InboundRequest::split(parts, vendors::get(integration_type).batches)
}

/// Parses a request to an integration.
pub fn parse_event(integration: &Integration, request: &InboundRequest) -> ParsedEvent {
    let Integration {
        id,
        name,
        integration_type,
        enabled,
        urgency,
        meta,
        options,
        ..
    } = integration;
    let visible = json!({
        "id": id,
        "name": name,
        "type": integration_type,
        "enabled": enabled,
        "urgency": urgency,
        "meta": meta,
    });
    parse_visible(integration_type.as_str(), &visible, request, options)
}

/// Parses a request to an integration of this type and with these options.
pub fn parse(
    integration_type: &str,
    request: &InboundRequest,
    options: &Map<String, Value>,
) -> ParsedEvent {
    let visible = json!({"type": integration_type});
    parse_visible(integration_type, &visible, request, options)
}

/// `visible` is the integration as title templates see it.
fn parse_visible(
    integration_type: &str,
    visible: &Value,
    request: &InboundRequest,
    options: &Map<String, Value>,
) -> ParsedEvent {
    if integration_type == webhook_out::TYPE {
        return ignored(
            format!("integrations of type '{integration_type}' do not receive events"),
            None,
        );
    }

    let options = VendorOptions::new(options);
    let vendor = vendors::get(integration_type);
    if let Some(Err(reason)) = vendor.secret.map(|secret| secret.check(request, options)) {
        return ParsedEvent::Blocked { reason };
    }

    let mut parsed = (vendor.parse)(request, options);
    parsed = explain_unreadable(vendor, request, parsed);
    if vendor.missing_id == MissingId::Ignore {
        parsed = require_id(parsed);
    }
    if vendor.has_title_templates {
        parsed = title_templates::apply(vendor, visible, request, options, parsed);
    }

    truncate(parsed)
}

/// Replaces the reason for an ignored request by the reason why its body is unreadable, if it is.
fn explain_unreadable(
    vendor: &Vendor,
    request: &InboundRequest,
    parsed: ParsedEvent,
) -> ParsedEvent {
    let Some(unreadable) = request.unreadable().filter(|_| vendor.name != EMAIL) else {
        return parsed;
    };

    match parsed {
        // The rules of a definition may match anything, but an unreadable body must not become an
        // alert.
        ParsedEvent::Event(_)
            if vendor.name == CUSTOM_WEBHOOK
                && !unreadable.is_plain_text
                && request.all().members().next().is_none() =>
        {
            ignored(unreadable.reason.as_str(), None)
        }
        ParsedEvent::Ignored {
            thirdparty_id,
            confirm,
            interpretation,
            ..
        } => ParsedEvent::Ignored {
            reason: unreadable.reason.clone(),
            thirdparty_id,
            confirm,
            interpretation,
        },
        parsed => parsed,
    }
}

/// The types whose bodies need not be JSON or a form.
const EMAIL: &str = "email";
const CUSTOM_WEBHOOK: &str = "custom_webhook";

/// Cuts whatever exceeds the limits of alerts and logs.
fn truncate(parsed: ParsedEvent) -> ParsedEvent {
    let stored = |id: Option<String>| id.map(|id| thirdparty_id::stored_form(&id).into_owned());
    match parsed {
        ParsedEvent::Event(mut event) => {
            event.thirdparty_id = stored(event.thirdparty_id);
            event.content.truncate();
            ParsedEvent::Event(event)
        }
        ParsedEvent::Ignored {
            reason,
            thirdparty_id,
            confirm,
            interpretation,
        } => ParsedEvent::Ignored {
            reason,
            thirdparty_id: stored(thirdparty_id),
            confirm,
            interpretation,
        },
        blocked @ ParsedEvent::Blocked { .. } => blocked,
    }
}

/// Ignores an event that would create an alert without a third-party id.
fn require_id(parsed: ParsedEvent) -> ParsedEvent {
    match parsed {
        ParsedEvent::Event(event) if event.may_create() && event.thirdparty_id.is_none() => {
            ignored("the event has no third-party id", None)
        }
        other => other,
    }
}

/// The custom definition that events of this type are parsed with.
pub fn used_definition(integration_type: &str, options: &Map<String, Value>) -> Option<String> {
    let options = VendorOptions::new(options);
    let is_used = match integration_type {
        CUSTOM_WEBHOOK => true,
        EMAIL => options.get("custom_definition_enabled").is_true(),
        _ => false,
    };
    options
        .get("custom_definition")
        .non_empty()
        .filter(|_| is_used)
}

/// Checks a definition, which may compile a hundred regular expressions. Returns a sentence for each
/// error.
pub fn validate_definition(definition: &str) -> Vec<String> {
    custom_definition::validate(definition)
        .into_iter()
        .map(|error| format!("'options.custom_definition' is invalid: {error}"))
        .collect()
}

/// Options whose cost does not depend on the size of the request alone.
const COSTLY_OPTIONS: [&str; 4] = [
    "custom_definition",
    "description_template",
    "title_template",
    "wrapper_key",
];
/// Bodies up to this size are parsed quickly, whatever they contain.
const MAX_QUICK_BODY_BYTES: usize = 8 << 10;

/// Whether rules or templates in these options may show the URL of a request.
pub fn may_show_url(options: &Map<String, Value>) -> bool {
    [
        "custom_definition",
        "description_template",
        "title_template",
    ]
    .iter()
    .any(|option| options.contains_key(*option))
}

/// Whether parsing may block the current thread for too long.
pub fn is_costly(parts: &RequestParts, options: &Map<String, Value>) -> bool {
    parts.body.len() > MAX_QUICK_BODY_BYTES
        || COSTLY_OPTIONS
            .iter()
            .any(|option| options.contains_key(*option))
}

/// The body of the HTTP response to a parsed request. `None` for an empty body, which is what most
/// senders expect.
pub fn response_body(
    integration_type: &str,
    request: &InboundRequest,
    parsed: &ParsedEvent,
) -> Option<ResponseBody> {
    vendors::get(integration_type).response_body?(request, parsed)
}

/// The option with the secret that requests of this type must present.
pub fn secret_option(integration_type: &str) -> Option<&'static str> {
    vendors::get(integration_type)
        .secret
        .map(|secret| secret.option())
}

/// Whether senders of this type repeat a request until it is answered with 200.
pub fn retries_until_ok(integration_type: &str) -> bool {
    vendors::get(integration_type).retries_until_ok
}

#[cfg(test)]
mod tests;
