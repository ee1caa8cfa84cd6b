//! `statuscake`: the web hook of a StatusCake contact group, a form. The address is what an alert
//! is of, not the test.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (status, url) = (delivery.get("Status"), delivery.get("URL"));
    let action = match status.lower().as_str() {
        "down" => Action::Create,
        "up" => Action::Resolve,
        _ => return no_event("Status", status, url),
    };

    event(action, url)
        .title(format!("{} is down", delivery.get("Name").text()))
        .tags(delivery.get("Tags").text().split(','))
        .link("URL", url)
        .text("Status Code", delivery.get("StatusCode"))
        .text("IP", delivery.get("IP"))
        // As PagerTree's adapter reads it; StatusCake sends `Checkrate`.
        .text("Check Rate", delivery.get("Check Rate"))
        .done()
}
