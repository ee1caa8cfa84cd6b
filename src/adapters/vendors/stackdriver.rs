//! `stackdriver`: webhook channels of Google Cloud Monitoring, formerly Stackdriver.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("stackdriver", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let incident = request.get("incident");
    let (state, id) = (incident.get("state"), incident.get("incident_id"));
    let action = match state.text().as_str() {
        "open" => Action::Create,
        "closed" => Action::Resolve,
        _ => return no_action("incident.state", state, id),
    };

    EventBuilder::new(action, id)
        .title(incident.get("summary"))
        .link("Incident URL", incident.get("url"))
        .text("Policy Name", incident.get("policy_name"))
        .text("Condition Name", incident.get("condition_name"))
        .text("Resource Name", incident.get("resource_name"))
        .build()
}
