//! `slackoutgoingwebhook`: the outgoing webhooks of Slack, a form. Every message is an alert.

use super::{Delivery, chat};
use crate::domain::event::Reading;
use serde_json::{Map, Value};

/// The channel is read where PagerTree's adapter reads it; Slack itself sends `channel_name`.
pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    chat::read(delivery, options, "channel")
}
