//! `scom`: System Center Operations Manager, by the script of PagerTree's guide.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (state, id) = (delivery.get("resolutionState"), delivery.get("alertId"));
    let action = match state.text().as_str() {
        "New" => Action::Create,
        "Closed" => Action::Resolve,
        _ => return no_event("resolutionState", state, id),
    };
    event(action, id)
        .title(delivery.get("alertName").text())
        .describe(delivery.get("alertDescription"))
        .done()
}
