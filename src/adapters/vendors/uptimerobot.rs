//! `uptimerobot`: the webhook contact of UptimeRobot, which appends its parameters to a URL that
//! ends in `/g?`.

use super::prelude::*;
use crate::adapters::instants;
use serde_json::Value;

/// The `alertType` of a certificate that is about to expire.
const SSL_EXPIRY: i64 = 3;

pub(super) const VENDOR: Vendor = Vendor::new("uptimerobot", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let kind = request.get("alertTypeFriendlyName");
    let is_certificate = kind.lowercase().contains("ssl")
        || request.get("alertType").integer() == Some(SSL_EXPIRY);
    if is_certificate && !request.is_strict() {
        return parse_expiry(request, "certificate", "ssl");
    }
    if kind.lowercase() == "domain expiry" && !request.is_strict() {
        return parse_expiry(request, "domain", "domain");
    }

    let id = group(request).unwrap_or_else(|| request.get("monitorID").text());
    let action = match kind.lowercase().as_str() {
        "down" => Action::Create,
        "up" => Action::Resolve,
        _ => return no_action("alertTypeFriendlyName", kind, id),
    };

    let name = request.get("monitorFriendlyName").text();
    let details = request.get("alertDetails").text();
    EventBuilder::new(action, id)
        .title(format!("{name} is DOWN"))
        .description_text(format!("{name} is DOWN because {details}"))
        .link("Monitor URL", request.get("monitorURL"))
        .datetime("Triggered At", triggered_at(request))
        .build()
}

/// An expiring certificate or domain gets a separate alert, since its monitor stays up.
fn parse_expiry(request: &InboundRequest, what: &str, suffix: &str) -> ParsedEvent {
    let monitor = request.get("monitorID").non_empty();
    let id = monitor.map_or_else(|| suffix.to_owned(), |id| format!("{id}_{suffix}"));
    let name = request.get("monitorFriendlyName").text();

    EventBuilder::new(Action::Create, id)
        .title(format!("The {what} of {name} expires"))
        .description_text(request.get("alertDetails"))
        .link("Monitor URL", request.get("monitorURL"))
        .text("Days Left", request.get("sslExpiryDaysLeft"))
        .datetime("Triggered At", triggered_at(request))
        .build()
}

fn seconds(request: &InboundRequest) -> i64 {
    request.get("alertDateTime").integer().unwrap_or_default()
}

fn triggered_at(request: &InboundRequest) -> Value {
    instants::from_seconds(Field::new(Some(&seconds(request).into())))
}

/// With `groupSeconds`, a parameter that users add to the URL, all alerts of a time span share an
/// id.
fn group(request: &InboundRequest) -> Option<String> {
    let span = request.get("groupSeconds").integer()?;
    let start = seconds(request).saturating_sub(seconds(request).checked_rem_euclid(span)?);
    (span > 0).then(|| start.to_string())
}
