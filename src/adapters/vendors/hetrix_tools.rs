//! `hetrix_tools`: uptime, resource usage and blacklists of HetrixTools. The members of the body
//! tell which of them it is about.

use super::prelude::*;
use crate::adapters::instants::from_seconds;

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::bearer("authentication_token")),
    missing_id: MissingId::Generate,
    batches: Batches::Whole,
    ..Vendor::new("hetrix_tools", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let listed = request.get("_json");
    if request.get("monitor_errors").is_present() {
        uptime(request)
    } else if request.get("resource_usage").is_present() {
        resources(request)
    } else if listed.is_list() && listed.is_present() {
        blacklist(listed)
    } else {
        ignored("not about uptime, resource usage or a blacklist", None)
    }
}

fn uptime(request: &InboundRequest) -> ParsedEvent {
    let (status, id, target) = (
        request.get("monitor_status"),
        request.get("monitor_id"),
        request.get("monitor_target"),
    );
    let action = match status.text().as_str() {
        "offline" => Action::Create,
        "online" => Action::Resolve,
        _ => return no_action("monitor_status", status, id),
    };

    let errors = request.get("monitor_errors");
    let unnamed = errors
        .items()
        .filter(|_| errors.is_list())
        .map(|error| format!("<p>{}: </p>", error.text()));
    let named = errors
        .members()
        .map(|(location, error)| format!("<p>{location}: {}</p>", error.text()));
    let error_lines: String = named.chain(unnamed).collect();

    EventBuilder::new(action, id)
        .hex_id()
        .require(
            "monitor_errors",
            errors.is_list() || errors.is_object_or_missing(),
        )
        .title(format!(
            "{} is {}",
            request.get("monitor_name").text(),
            status.text()
        ))
        .description_text(format!(
            "<p>{} is {}</p>{error_lines}",
            target.text(),
            status.text()
        ))
        .datetime("Timestamp", from_seconds(request.get("timestamp")))
        .text("Monitor Type", request.get("monitor_type"))
        .link("Monitor Target", target)
        .build()
}

fn resources(request: &InboundRequest) -> ParsedEvent {
    let usage = request.get("resource_usage");
    let [kind, current] = ["resource_type", "current_usage"].map(|name| usage.get(name));
    let [average, minutes] =
        ["average_usage", "average_minutes"].map(|name| usage.get(name).text());

    EventBuilder::new(Action::Create, request.get("monitor_id"))
        .hex_id()
        .require("resource_usage", usage.is_object_or_missing())
        .title(format!("{} usage alert", request.get("monitor_name").text()))
        .description_text(format!(
            "<p>Resource Type: {}</p><p>Current Usage: {}</p><p>Average Usage: {average} / {minutes}m</p>",
            kind.text(),
            current.text()
        ))
        .text("Resource Type", kind)
        .text("Current Usage", current)
        .build()
}

fn blacklist(listed: Field<'_>) -> ParsedEvent {
    let lines = listed.items().map(|item| {
        let [monitor, now] = ["monitor", "blacklisted_now"].map(|name| item.get(name).text());
        format!("{monitor} ({now})")
    });
    EventBuilder::new(Action::Create, None)
        .hex_id()
        .title("Blacklist Alert")
        .description_text(lines.collect::<Vec<_>>().join("<br/>"))
        .build()
}
