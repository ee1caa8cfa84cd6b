//! `hyperping`: checks of Hyperping. The URL identifies an alert.

use super::prelude::*;
use crate::adapters::instants::from_milliseconds;
use serde_json::Value;

pub(super) const VENDOR: Vendor = Vendor::new("hyperping", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, check) = (request.get("event"), request.get("check"));
    let (url, date) = (check.get("url"), check.get("date"));
    let action = match kind.text().as_str() {
        "check.down" => Action::Create,
        "check.up" => Action::Resolve,
        _ => return no_action("event", kind, url),
    };

    let since = if date.is_text() {
        Value::Null
    } else {
        from_milliseconds(date)
    };

    EventBuilder::new(action, url)
        .title(format!("{} is DOWN", url.text()))
        .link("URL", url)
        .text("Status Code", check.get("status"))
        .datetime("Down Since", since)
        .build()
}
