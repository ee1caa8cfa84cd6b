//! `slackoutgoingwebhook`: outgoing webhooks of Slack, a form.

use super::{chat, prelude::*};

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::parameter("token", "token")),
    ..Vendor::new("slackoutgoingwebhook", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    if !request.get("text").is_text_or_missing() {
        return ignored("'text' is not a string", None);
    }
    // PagerTree's adapter reads `channel`, although Slack sends `channel_name`.
    chat::parse(request, "channel")
}
