//! `crowdstrike`: the webhook action of a workflow of CrowdStrike Falcon. Its `data` are attributes
//! as those of `webhook`.

use super::{Delivery, field::Field, reading::nothing, secret, webhook};
use crate::domain::event::Reading;
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (stamp, signature) = ("x-cs-delivery-timestamp", "x-cs-primary-signature");
    if let Some(blocked) =
        secret::stamped_signature(delivery, options, "hmac_secret", stamp, signature)
    {
        return blocked;
    }

    let sent = webhook::named_in_lower_case(delivery.all());
    let sent = Field::new(Some(&sent));
    let data = sent.get("data");

    if data.object().is_none() {
        return nothing("'data' is no object", Field::new(None));
    }

    let mut reading = webhook::said(data, options);
    if let Reading::Event(event) = &mut reading {
        // Those in the data only tell an incident.
        event.content.meta = sent.get("meta").object().cloned().unwrap_or_default();
    }

    reading
}
