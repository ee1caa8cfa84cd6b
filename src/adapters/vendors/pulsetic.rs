//! `pulsetic`: webhooks of Pulsetic. A monitor and its certificate have separate alerts.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("pulsetic", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (kind, monitor) = (request.get("alert_type"), request.get("monitor"));
    if !monitor.is_object_or_missing() {
        return ignored("'monitor' is not an object", None);
    }

    let (id, url) = (monitor.get("id").text(), monitor.get("url"));
    let subject = if kind.is("certificate_expires_soon") {
        "certificate"
    } else {
        "monitor"
    };

    let thirdparty_id = format!("{id}_{subject}");
    let (action, state) = match kind.text().as_str() {
        "monitor_offline" => (Action::Create, "OFFLINE"),
        "certificate_expires_soon" => (Action::Create, "CERTIFICATE EXPIRES SOON"),
        "monitor_online" => (Action::Resolve, "ONLINE"),
        _ => return no_action("alert_type", kind, thirdparty_id),
    };

    let page = format!("https://app.pulsetic.com/monitors/{id}/overview");
    EventBuilder::new(action, thirdparty_id)
        .title(format!("{} {state}", url.text()))
        .link("Monitor", page)
        .link("URL", url)
        .build()
}
