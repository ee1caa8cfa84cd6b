//! `slackoutgoingwebhook`: the outgoing webhooks of Slack, a form. Every message is an alert.

use super::{Delivery, chat, field::Field, reading::nothing};
use crate::domain::event::Reading;
use serde_json::{Map, Value};

/// The channel is read where PagerTree's adapter reads it; Slack itself sends `channel_name`.
pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let text = delivery.get("text");
    match chat::read(delivery, options, "channel") {
        Reading::Event(_) if text.is_there() && !text.is_text() => {
            nothing("'text' is no text", Field::new(None))
        }
        reading => reading,
    }
}
