//! `honeybadger`: faults, outages and check-ins of Honeybadger.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::header("token", "honeybadger-token")),
    ..Vendor::new("honeybadger", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, fault) = (request.get("event"), request.get("fault"));
    let [outage, check_in, alarm] =
        ["outage", "check_in", "alarm"].map(|name| request.dig([name, "details_url"]));
    let id = fault.get("url").or(outage).or(check_in);
    let id = if request.is_strict() { id } else { id.or(alarm) };

    let action = match kind.lowercase().as_str() {
        "occurred" | "down" | "check_in_missing" => Action::Create,
        "resolved" | "up" | "check_in_reporting" => Action::Resolve,
        "unresolved" | "alarm_alert" if !request.is_strict() => Action::Create,
        "alarm_ok" if !request.is_strict() => Action::Resolve,
        _ => return no_action("event", kind, id),
    };

    let environment = fault.get("environment");
    let tags = || fault.get("tags").items().chain([environment]);
    EventBuilder::new(action, id)
        .require(
            "fault",
            fault.is_object_or_missing() && tags().all(Field::is_text_or_missing),
        )
        .require("outage", request.get("outage").is_object_or_missing())
        .require("check_in", request.get("check_in").is_object_or_missing())
        .title(request.get("message"))
        .tags(tags().map(Field::text))
        .link("Fault URL", fault.get("url"))
        .text("Environment", environment)
        .link("Outage URL", outage)
        .link("Check In URL", check_in)
        .link("Alarm URL", alarm)
        .build()
}
