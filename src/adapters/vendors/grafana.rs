//! `grafana`: legacy and unified alerting of Grafana.

use super::{prelude::*, prometheus};

pub(super) const VENDOR: Vendor = Vendor {
    missing_id: MissingId::Generate,
    ..Vendor::new("grafana", parse)
};

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let (state, id) = (
        request.get("state"),
        request.get("ruleId").or(request.get("groupKey")),
    );
    let word = if request.is_strict() {
        state.text()
    } else {
        state.lowercase()
    };
    let action = match word.as_str() {
        "alerting" => Action::Create,
        "ok" => Action::Resolve,
        // Alertmanager does not send the state that Grafana adds.
        "" if !request.is_strict() && request.get("groupKey").is_some() => {
            return prometheus::parse(request, options);
        }
        _ => return no_action("state", state, id),
    };

    EventBuilder::new(action, id)
        .title(request.get("ruleName").or(request.get("title")))
        .description(request.get("message"))
        // PagerTree's adapter reads `ruleURL`, although Grafana sends `ruleUrl`.
        .link("URL", request.get("ruleURL"))
        .image("Image", request.get("imageUrl"))
        .build()
}
