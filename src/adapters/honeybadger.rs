//! `honeybadger`: faults, outages and check-ins of Honeybadger.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event},
    secret,
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    if let Some(blocked) = secret::header(delivery, options, "token", "honeybadger-token") {
        return blocked;
    }

    let (kind, fault) = (delivery.get("event"), delivery.get("fault"));
    let [outage, check_in, alarm] =
        ["outage", "check_in", "alarm"].map(|name| delivery.dig([name, "details_url"]));
    let id = fault.get("url").or(outage).or(check_in);
    let id = if delivery.is_strict() {
        id
    } else {
        id.or(alarm)
    };

    let action = match kind.lower().as_str() {
        "occurred" | "down" | "check_in_missing" => Action::Create,
        "resolved" | "up" | "check_in_reporting" => Action::Resolve,
        "unresolved" | "alarm_alert" if !delivery.is_strict() => Action::Create,
        "alarm_ok" if !delivery.is_strict() => Action::Resolve,
        _ => return no_event("event", kind, id),
    };

    let environment = fault.get("environment");
    let tags = || fault.get("tags").items().chain([environment]);
    event(action, id)
        .only_if(
            "fault",
            fault.may_have_members() && tags().all(Field::may_be_text),
        )
        .only_if("outage", delivery.get("outage").may_have_members())
        .only_if("check_in", delivery.get("check_in").may_have_members())
        .title(delivery.get("message").text())
        .tags(tags().map(Field::text))
        .link("Fault URL", fault.get("url"))
        .text("Environment", environment)
        .link("Outage URL", outage)
        .link("Check In URL", check_in)
        .link("Alarm URL", alarm)
        .done()
}
