//! `mattermost_outgoing_webhook`: the outgoing webhooks of Mattermost, JSON or a form. Every
//! message is an alert.

use super::{Delivery, chat};
use crate::domain::event::Reading;
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    chat::read(delivery, options, "channel_name")
}
