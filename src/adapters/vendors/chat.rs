//! What the outgoing webhooks of Slack and Mattermost have in common: each message creates an
//! alert.

use super::prelude::*;
use crate::adapters::urgency;

/// Parses a message. The parameter `channel` has the name of the channel.
pub(super) fn parse(request: &InboundRequest, channel: &str) -> ParsedEvent {
    let text = request.get("text");
    let id = format!(
        "{}.{}",
        request.get("channel_id").text(),
        request.get("timestamp").text()
    );

    EventBuilder::new(Action::Create, id)
        .title(text)
        .urgency(urgency::first_in(&text.lowercase(), &urgency::AUDIBLE))
        .text("Trigger", request.get("trigger_word"))
        .text("Channel", request.get(channel))
        .text("User", request.get("user_name"))
        .build()
}
