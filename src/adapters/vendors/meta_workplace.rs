//! `meta_workplace`: mentions of a page in Workplace by Meta. To subscribe, Workplace sends a
//! challenge that the response must echo.

use super::prelude::*;
use crate::adapters::ResponseBody;

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::Signature {
        option: "app_secret",
        header: "x-hub-signature-256",
        prefix: "sha256=",
    }),
    batches: Batches::Whole,
    has_title_templates: false,
    response_body: Some(response_body),
    ..Vendor::new("meta_workplace", parse)
};

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let entry = request.get("entry").at(0);
    let change = entry.get("changes").at(0);
    let id = join_present([entry.get("id"), entry.get("time")], "-");

    if !options.get("incoming_enabled").is_true() {
        return ignored("the option 'incoming_enabled' is not set", id);
    }

    if !request.get("object").is("page") || !change.get("field").is("mention") {
        return ignored("not the mention of a page", id);
    }

    EventBuilder::new(Action::Create, id)
        .title(change.dig(["value", "message"]))
        .build()
}

/// Echoes the challenge when Workplace subscribes. Genuine challenges are numbers; one with control
/// characters is not echoed.
fn response_body(request: &InboundRequest, parsed: &ParsedEvent) -> Option<ResponseBody> {
    if !request.get("hub.mode").is("subscribe") || matches!(parsed, ParsedEvent::Blocked { .. }) {
        return None;
    }

    let challenge = request.get("hub.challenge").text();
    (!challenge.chars().any(char::is_control)).then_some(ResponseBody {
        content_type: "text/plain; charset=utf-8",
        body: challenge,
    })
}
