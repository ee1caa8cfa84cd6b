//! `apexping`: alerts of Apex Ping.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("apexping", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (state, id, check) = (
        request.get("state"),
        request.dig(["alert", "id"]),
        request.get("check"),
    );
    let action = match state.text().as_str() {
        "triggered" => Action::Create,
        "resolved" => Action::Resolve,
        _ => return no_action("state", state, id),
    };

    let url = format!(
        "{}://{}",
        check.get("protocol").text(),
        check.get("url").text()
    );

    EventBuilder::new(action, id)
        .require("alert", request.get("alert").is_object_or_missing())
        .require("check", check.is_object_or_missing())
        .title(format!("{} {}", check.get("name").text(), state.text()))
        .link("URL", url)
        .text("Method", check.get("method"))
        .datetime("Triggered At", request.get("triggered_at"))
        .build()
}
