//! `zabbix`: the PagerTree media type of Zabbix. Its test button sends macros unexpanded.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor {
    missing_id: MissingId::Generate,
    ..Vendor::new("zabbix", parse)
};

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let (value, trigger) = (request.get("event_value"), request.get("trigger_id"));
    let has_trigger =
        trigger.is_present() && (request.is_strict() || !is_placeholder(&trigger.text()));
    let id = if has_trigger {
        trigger
    } else {
        request.get("event_id")
    };

    let action = match value.value().as_str() {
        Some("1" | "{EVENT.VALUE}") => Action::Create,
        Some("0") => Action::Resolve,
        _ => return no_action("event_value", value, id),
    };

    let tags = request.get("event_tags");
    if action == Action::Create && !tags.is_text_or_missing() {
        return ignored("'event_tags' is not a string", id);
    }

    let maps_urgency = options.get("map_urgency").is_true();
    EventBuilder::new(action, id)
        .title(request.get("title"))
        .description_text(format!("<pre>{}</pre>", request.get("description").text()))
        .urgency(urgency(request.get("event_nseverity").value().as_str()).filter(|_| maps_urgency))
        .tags(tags.text().split(','))
        .link("Zabbix URL", page_url(request))
        .ulid()
        .build()
}

/// Whether a macro was not expanded. Events of services, discovery and Zabbix itself have no
/// trigger; without this check they would all share one alert.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text == "*UNKNOWN*" || (text.starts_with('{') && text.ends_with('}'))
}

/// Severities range from 0, "not classified", to 5, "disaster".
fn urgency(number: Option<&str>) -> Option<AlertUrgency> {
    match number? {
        "0" => Some(AlertUrgency::Silent),
        "1" => Some(AlertUrgency::Low),
        "2" | "3" => Some(AlertUrgency::Medium),
        "4" => Some(AlertUrgency::High),
        "5" => Some(AlertUrgency::Critical),
        _ => None,
    }
}

/// The page of a trigger's event; the front page for other events.
fn page_url(request: &InboundRequest) -> String {
    let text = |name| request.get(name).text();
    let front = text("zabbix_url");
    if !request.get("event_source").is("0") {
        return front;
    }
    format!(
        "{front}/tr_events.php?triggerid={}&eventid={}",
        text("trigger_id"),
        text("event_id")
    )
}
