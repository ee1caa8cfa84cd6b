//! `datadog`: the webhook of Datadog, with the payload of PagerTree's guide.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (transition, id) = (delivery.get("ALERT_TRANSITION"), delivery.get("ALERT_ID"));
    let again = Field::new(options.get("support_retriggered_event")).is_yes();
    let action = match transition.text().as_str() {
        "Triggered" => Action::Create,
        "Re-Triggered" if again => Action::Recreate,
        "Recovered" => Action::Resolve,
        // The other states of a monitor in which it is not well.
        "No Data" | "Warn" if !delivery.is_strict() => Action::Create,
        "Re-No Data" | "Re-Warn" if again && !delivery.is_strict() => Action::Recreate,
        _ => return no_event("ALERT_TRANSITION", transition, id),
    };

    let tags = delivery.get("TAGS");
    event(action, id)
        .only_if("TAGS", tags.may_be_text())
        .title(delivery.get("ALERT_TITLE").text())
        .describe(delivery.get("ALERT_STATUS"))
        .tags(tags.text().split(','))
        .dedup_keys(delivery.get("AGGREG_KEY").filled())
        .link("Link", delivery.get("LINK"))
        .text("Priority", delivery.get("PRIORITY"))
        .text("Event Type", delivery.get("EVENT_TYPE"))
        .text("Event Title", delivery.get("EVENT_TITLE"))
        .done()
}
