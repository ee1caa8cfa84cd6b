//! `cloudflare`: a notification of Cloudflare. Each is an alert of its own.

use super::{Delivery, field::Field, instant::seconds, markup::paragraphs, reading::event, secret};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

const MAX_TITLE_LEN: usize = 70;

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    if let Some(blocked) = secret::header(delivery, options, "webhook_secret", "cf-webhook-auth") {
        return blocked;
    }

    let (text, data) = (delivery.get("text"), delivery.get("data"));
    event(Action::Create, Field::new(None))
        .only_if("text", text.may_be_text())
        .only_if("data", data.may_have_members())
        .title(if text.is_there() {
            truncated(&text.text())
        } else {
            "CF Event ".to_owned()
        })
        .description(paragraphs(&text.text()))
        .text("Account Name", data.get("account_name"))
        .text("Zone Name", data.get("zone_name"))
        .link("Dashboard Link", data.get("dashboard_link"))
        .datum(
            DatumKind::Datetime,
            "Timestamp",
            seconds(delivery.get("ts")),
        )
        .text("Alert Type", delivery.get("alert_type"))
        .text("Account ID", delivery.get("account_id"))
        .text("Policy ID", delivery.get("policy_id"))
        .done()
}

/// With three dots at the end in place of what is too much.
fn truncated(text: &str) -> String {
    if text.chars().nth(MAX_TITLE_LEN).is_none() {
        return text.to_owned();
    }
    text.chars()
        .take(MAX_TITLE_LEN - 3)
        .chain("...".chars())
        .collect()
}
