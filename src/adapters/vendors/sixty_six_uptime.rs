//! `sixty_six_uptime`, also sold as `hydrozen`: monitors, heartbeats and expiry dates. Only the
//! number 1 in `is_ok` means that a problem is over.

use super::prelude::*;
use crate::adapters::compare::is_equal;

pub(super) const VENDOR: Vendor = Vendor::new("sixty_six_uptime", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let kind = request.get("type");
    let [name, target, zone] = ["name", "target", "timezone"].map(|name| request.get(name).text());
    let action = if is_equal(&request.get("is_ok").value(), &1.into()) {
        Action::Resolve
    } else {
        Action::Create
    };

    let event = |action, id: &str, title: String, description: String| {
        let id = format!("{}-{}", kind.text(), request.get(id).text());
        EventBuilder::new(action, id)
            .title(title)
            .description_text(description)
            .link("URL", request.get("url"))
            .text("Name", request.get("name"))
            .text("Type", kind)
    };

    let expiry = |subject: &str, label: &str, attribute: &str| {
        let until = format!("{} {zone}", request.get(attribute).text());
        let title = format!("{subject} monitor {name} is expiring soon");
        let description = format!("{subject} monitor {name} ({target}) is expiring soon ({until})");
        event(Action::Create, "domain_name_id", title, description)
            .link("Target", request.get("target"))
            .text(label, until)
            .build()
    };

    let outage = |subject: &str| {
        let title = format!("{subject} monitor {name} is DOWN");
        let description = format!("{subject} monitor {name} ({target}) is DOWN");
        event(action, "monitor_id", title, description)
            .link("Target", request.get("target"))
            .text("port", request.get("port"))
            .build()
    };

    match kind.text().as_str() {
        "website" => outage("Website"),
        "ping" => outage("Ping"),
        "port" => outage("Port"),
        "heartbeat" => {
            let title = format!("Heartbeat monitor {name} has not checked in");
            event(action, "heartbeat_id", title.clone(), title).build()
        }
        "domain-expiry" => expiry("Domain", "WHOIS End DateTime", "whois_end_datetime"),
        "ssl-expiry" => expiry("SSL Certificate", "SSL End DateTime", "ssl_end_datetime"),
        _ => no_action("type", kind, None),
    }
}
