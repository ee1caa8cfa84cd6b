//! `crowdstrike`: the webhook action of CrowdStrike Falcon workflows. Its `data` has the attributes
//! of a `webhook` event.

use super::{prelude::*, webhook};

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::TimestampedSignature {
        option: "hmac_secret",
        header: "x-cs-primary-signature",
        timestamp: "x-cs-delivery-timestamp",
    }),
    missing_id: MissingId::Generate,
    batches: Batches::Whole,
    ..Vendor::new("crowdstrike", parse)
};

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let parameters = webhook::lowercase_names(request.all());
    let parameters = Field::new(Some(&parameters));
    let data = parameters.get("data");
    if data.object().is_none() {
        return ignored("'data' is not an object", None);
    }

    let mut parsed = webhook::parse_attributes(data, options);
    if let ParsedEvent::Event(event) = &mut parsed {
        // The `meta` within `data` has the attributes of an incident only.
        event.content.meta = parameters.get("meta").object().cloned().unwrap_or_default();
    }
    parsed
}
