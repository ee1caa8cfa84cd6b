//! `cloudflare`: notifications of Cloudflare. Each one creates an alert.

use super::prelude::*;
use crate::adapters::{html::paragraphs, instants::from_seconds};

const MAX_TITLE_LEN: usize = 70;

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::header("webhook_secret", "cf-webhook-auth")),
    missing_id: MissingId::Generate,
    ..Vendor::new("cloudflare", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (text, data) = (request.get("text"), request.get("data"));
    EventBuilder::new(Action::Create, None)
        .require("text", text.is_text_or_missing())
        .require("data", data.is_object_or_missing())
        .title(if text.is_some() {
            truncate(&text.text())
        } else {
            "CF Event ".to_owned()
        })
        .description_text(paragraphs(&text.text()))
        .text("Account Name", data.get("account_name"))
        .text("Zone Name", data.get("zone_name"))
        .link("Dashboard Link", data.get("dashboard_link"))
        .datetime("Timestamp", from_seconds(request.get("ts")))
        .text("Alert Type", request.get("alert_type"))
        .text("Account ID", request.get("account_id"))
        .text("Policy ID", request.get("policy_id"))
        .build()
}

/// Shortens a title, with three dots at the end.
fn truncate(text: &str) -> String {
    if text.chars().nth(MAX_TITLE_LEN).is_none() {
        return text.to_owned();
    }
    text.chars()
        .take(MAX_TITLE_LEN - 3)
        .chain("...".chars())
        .collect()
}
