//! `hetrix_tools`: HetrixTools, which says by what it sends whether it is about uptime, resources
//! or a blacklist.

use super::{
    Delivery,
    field::Field,
    instant::seconds,
    reading::{event, no_event, nothing},
    secret,
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    if let Some(blocked) = secret::bearer(delivery, options, "authentication_token") {
        return blocked;
    }

    let listed = delivery.get("_json");
    if delivery.get("monitor_errors").is_filled() {
        uptime(delivery)
    } else if delivery.get("resource_usage").is_filled() {
        resources(delivery)
    } else if listed.is_list() && listed.is_filled() {
        blacklist(listed)
    } else {
        nothing(
            "it is about neither uptime nor resources nor a blacklist",
            Field::new(None),
        )
    }
}

fn uptime(delivery: &Delivery) -> Reading {
    let (status, id, target) = (
        delivery.get("monitor_status"),
        delivery.get("monitor_id"),
        delivery.get("monitor_target"),
    );
    let action = match status.text().as_str() {
        "offline" => Action::Create,
        "online" => Action::Resolve,
        _ => return no_event("monitor_status", status, id),
    };

    let lines = delivery.get("monitor_errors");
    let unplaced = lines
        .items()
        .filter(|_| lines.is_list())
        .map(|error| format!("<p>{}: </p>", error.text()));
    let placed = lines
        .members()
        .map(|(place, error)| format!("<p>{place}: {}</p>", error.text()));
    let errors: String = placed.chain(unplaced).collect();

    event(action, id)
        .hex_id()
        .only_if(
            "monitor_errors",
            lines.is_list() || lines.may_have_members(),
        )
        .title(format!(
            "{} is {}",
            delivery.get("monitor_name").text(),
            status.text()
        ))
        .description(format!(
            "<p>{} is {}</p>{errors}",
            target.text(),
            status.text()
        ))
        .datum(
            DatumKind::Datetime,
            "Timestamp",
            seconds(delivery.get("timestamp")),
        )
        .text("Monitor Type", delivery.get("monitor_type"))
        .link("Monitor Target", target)
        .done()
}

fn resources(delivery: &Delivery) -> Reading {
    let usage = delivery.get("resource_usage");
    let [kind, current] = ["resource_type", "current_usage"].map(|name| usage.get(name));
    let [average, minutes] =
        ["average_usage", "average_minutes"].map(|name| usage.get(name).text());

    event(Action::Create, delivery.get("monitor_id"))
        .hex_id()
        .only_if("resource_usage", usage.may_have_members())
        .title(format!("{} usage alert", delivery.get("monitor_name").text()))
        .description(format!(
            "<p>Resource Type: {}</p><p>Current Usage: {}</p><p>Average Usage: {average} / {minutes}m</p>",
            kind.text(),
            current.text()
        ))
        .text("Resource Type", kind)
        .text("Current Usage", current)
        .done()
}

fn blacklist(listed: Field<'_>) -> Reading {
    let lines = listed.items().map(|item| {
        let [monitor, now] = ["monitor", "blacklisted_now"].map(|name| item.get(name).text());
        format!("{monitor} ({now})")
    });
    event(Action::Create, Field::new(None))
        .hex_id()
        .title("Blacklist Alert")
        .description(lines.collect::<Vec<_>>().join("<br/>"))
        .done()
}
