//! `azure_monitor`: an action group of Azure Monitor, in its common alert schema and in those that
//! came before it, which action groups still send unless the common one is switched on.

use super::{
    Delivery,
    field::{Field, joined},
    reading::{event, no_event},
};
use crate::domain::event::{Action, AlertUrgency, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let essentials = delivery.dig(["data", "essentials"]);
    if !essentials.is_there() && !delivery.is_strict() {
        return earlier_schema(delivery);
    }

    let (condition, id) = (
        essentials.get("monitorCondition"),
        essentials.get("alertId"),
    );
    let action = match condition.text().as_str() {
        "Fired" => Action::Create,
        "Resolved" => Action::Resolve,
        _ => return no_event("monitorCondition", condition, id),
    };

    let (rule, severity) = (essentials.get("alertRule"), essentials.get("severity"));
    event(action, id)
        .title(rule.text())
        .describe(essentials.get("description"))
        .urgency(severity.text().strip_prefix("Sev").and_then(urgency))
        .text("Monitoring Service", essentials.get("monitoringService"))
        .text("Alert Rule", rule)
        .text("Severity", severity)
        .datetime("Fired At", essentials.get("firedDateTime"))
        .done()
}

/// From 0, the worst, to 4.
fn urgency(level: &str) -> Option<AlertUrgency> {
    match level {
        "0" | "1" => Some(AlertUrgency::Critical),
        "2" => Some(AlertUrgency::High),
        "3" => Some(AlertUrgency::Medium),
        "4" => Some(AlertUrgency::Low),
        _ => None,
    }
}

/// A metric, a query of logs, or the activity log, each in a form of its own. Classic alerts have
/// no `data` around it.
fn earlier_schema(delivery: &Delivery) -> Reading {
    let data = delivery.get("data");
    let data = if data.is_there() {
        data
    } else {
        delivery.all()
    };

    let context = data.get("context");
    if data.get("AlertRuleName").is_there() {
        log_query(data)
    } else if context.get("activityLog").is_there() {
        activity_log(data, context.get("activityLog"))
    } else {
        metric(data, context)
    }
}

fn metric(data: Field<'_>, context: Field<'_>) -> Reading {
    let (status, id) = (
        data.get("status"),
        joined([context.get("id"), context.get("resourceId")], ":"),
    );
    let id = Field::new(Some(&id));
    let action = match status.text().as_str() {
        "Activated" => Action::Create,
        "Deactivated" | "Resolved" => Action::Resolve,
        _ => return no_event("status", status, id),
    };

    let name = context.get("name");
    event(action, id)
        .title(name.text())
        .describe(context.get("description"))
        .urgency(urgency(&context.get("severity").text()))
        .text("Alert Rule", name)
        .text("Resource", context.get("resourceName"))
        .link("Portal URL", context.get("portalLink"))
        .datetime("Fired At", context.get("timestamp"))
        .done()
}

/// It is sent as often as the query finds something, and never that it is over.
fn log_query(data: Field<'_>) -> Reading {
    let name = data.get("AlertRuleName");
    let id = joined(
        [data.get("ResourceId").or(data.get("WorkspaceId")), name],
        ":",
    );

    event(Action::Create, Field::new(Some(&id)))
        .title(name.text())
        .describe(data.get("Description"))
        .urgency(urgency(&data.get("Severity").text()))
        .text("Alert Rule", name)
        .link(
            "Search Results",
            data.get("LinkToFilteredSearchResultsUI")
                .or(data.get("LinkToSearchResults")),
        )
        .done()
}

/// Of the health of Azure's services it says when it is over.
fn activity_log(data: Field<'_>, log: Field<'_>) -> Reading {
    let properties = log.get("properties");
    let id = properties.get("trackingId").or(log.get("correlationId"));
    let (status, stage) = (data.get("status"), properties.get("stage"));
    let action = match (status.text().as_str(), stage.text().as_str()) {
        ("Activated", "Resolved" | "Complete" | "RCA") => Action::Resolve,
        ("Activated", _) => Action::Create,
        _ => return no_event("status", status, id),
    };

    event(action, id)
        .title(properties.get("title").or(log.get("operationName")).text())
        .describe(properties.get("communication").or(log.get("description")))
        .text("Operation", log.get("operationName"))
        .text("Resource", log.get("resourceId"))
        .datetime("Fired At", log.get("eventTimestamp"))
        .done()
}
