//! `mattermost_outgoing_webhook`: outgoing webhooks of Mattermost, JSON or a form.

use super::{chat, prelude::*};

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::parameter("token", "token")),
    ..Vendor::new("mattermost_outgoing_webhook", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    chat::parse(request, "channel_name")
}
