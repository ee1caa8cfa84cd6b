//! `azure_monitor`: action groups of Azure Monitor, in the common alert schema or an older one.
//! Action groups send the older schemas unless the common one is enabled.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("azure_monitor", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let essentials = request.dig(["data", "essentials"]);
    if !essentials.is_some() && !request.is_strict() {
        return earlier_schema(request);
    }

    let (condition, id) = (
        essentials.get("monitorCondition"),
        essentials.get("alertId"),
    );
    let action = match condition.text().as_str() {
        "Fired" => Action::Create,
        "Resolved" => Action::Resolve,
        _ => return no_action("monitorCondition", condition, id),
    };

    let (rule, severity) = (essentials.get("alertRule"), essentials.get("severity"));
    EventBuilder::new(action, id)
        .title(rule)
        .description(essentials.get("description"))
        .urgency(severity.text().strip_prefix("Sev").and_then(urgency))
        .text("Monitoring Service", essentials.get("monitoringService"))
        .text("Alert Rule", rule)
        .text("Severity", severity)
        .datetime("Fired At", essentials.get("firedDateTime"))
        .build()
}

/// Severities range from 0, the most severe, to 4.
fn urgency(level: &str) -> Option<AlertUrgency> {
    match level {
        "0" | "1" => Some(AlertUrgency::Critical),
        "2" => Some(AlertUrgency::High),
        "3" => Some(AlertUrgency::Medium),
        "4" => Some(AlertUrgency::Low),
        _ => None,
    }
}

/// Metrics, log queries and the activity log have a schema each. Classic alerts are not wrapped in
/// `data`.
fn earlier_schema(request: &InboundRequest) -> ParsedEvent {
    let data = request.get("data").or(request.all());

    let context = data.get("context");
    if data.get("AlertRuleName").is_some() {
        log_query(data)
    } else if context.get("activityLog").is_some() {
        activity_log(data, context.get("activityLog"))
    } else {
        metric(data, context)
    }
}

fn metric(data: Field<'_>, context: Field<'_>) -> ParsedEvent {
    let (status, id) = (
        data.get("status"),
        join_present([context.get("id"), context.get("resourceId")], ":"),
    );
    let action = match status.text().as_str() {
        "Activated" => Action::Create,
        "Deactivated" | "Resolved" => Action::Resolve,
        _ => return no_action("status", status, id),
    };

    let name = context.get("name");
    EventBuilder::new(action, id)
        .title(name)
        .description(context.get("description"))
        .urgency(urgency(&context.get("severity").text()))
        .text("Alert Rule", name)
        .text("Resource", context.get("resourceName"))
        .link("Portal URL", context.get("portalLink"))
        .datetime("Fired At", context.get("timestamp"))
        .build()
}

/// Sent each time that the query has results. There is no event for the end.
fn log_query(data: Field<'_>) -> ParsedEvent {
    let name = data.get("AlertRuleName");
    let id = join_present(
        [data.get("ResourceId").or(data.get("WorkspaceId")), name],
        ":",
    );

    EventBuilder::new(Action::Create, id)
        .title(name)
        .description(data.get("Description"))
        .urgency(urgency(&data.get("Severity").text()))
        .text("Alert Rule", name)
        .link(
            "Search Results",
            data.get("LinkToFilteredSearchResultsUI")
                .or(data.get("LinkToSearchResults")),
        )
        .build()
}

/// Only events of service health tell when the problem is over.
fn activity_log(data: Field<'_>, log: Field<'_>) -> ParsedEvent {
    let properties = log.get("properties");
    let id = properties.get("trackingId").or(log.get("correlationId"));
    let (status, stage) = (data.get("status"), properties.get("stage"));
    let action = match (status.text().as_str(), stage.text().as_str()) {
        ("Activated", "Resolved" | "Complete" | "RCA") => Action::Resolve,
        ("Activated", _) => Action::Create,
        _ => return no_action("status", status, id),
    };

    EventBuilder::new(action, id)
        .title(properties.get("title").or(log.get("operationName")))
        .description(properties.get("communication").or(log.get("description")))
        .text("Operation", log.get("operationName"))
        .text("Resource", log.get("resourceId"))
        .datetime("Fired At", log.get("eventTimestamp"))
        .build()
}
