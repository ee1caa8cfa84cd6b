//! A message in a chat that calls for help: what the outgoing webhooks of Slack and Mattermost have
//! in common.

use super::{Delivery, field::Field, reading::event, secret, urgency};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

/// The message as an alert; `channel` is the parameter that names the channel.
pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>, channel: &str) -> Reading {
    if let Some(blocked) = secret::parameter(delivery, options, "token", "token") {
        return blocked;
    }

    let text = delivery.get("text");
    let id = format!(
        "{}.{}",
        delivery.get("channel_id").text(),
        delivery.get("timestamp").text()
    );

    event(Action::Create, Field::new(Some(&id.into())))
        .title(text.text())
        .urgency(urgency::first_in(&text.lower(), &urgency::CALLING))
        .text("Trigger", delivery.get("trigger_word"))
        .text("Channel", delivery.get(channel))
        .text("User", delivery.get("user_name"))
        .done()
}
