//! `xitoring`: the PagerTree notification of Xitoring.

use super::prelude::*;
use crate::adapters::compare;

pub(super) const VENDOR: Vendor = Vendor::new("xitoring", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (status, id) = (request.get("status"), request.get("id"));
    // A string of digits is no status.
    let is = |number: i64| compare::is_equal(&status.value(), &number.into());

    let action = match (is(0), is(1)) {
        (true, _) => Action::Create,
        (_, true) => Action::Resolve,
        _ => return no_action("status", status, id),
    };

    let text = |name| request.get(name).text();
    EventBuilder::new(action, id)
        // PagerTree's adapter misspells the first name.
        .title(format!(
            "[{}] {} is Down",
            text("tpye_human_readable"),
            text("label")
        ))
        .description(request.get("message"))
        .text("Group", request.get("group"))
        .text("Subgroup", request.get("sub_group"))
        .text("Value", request.get("value"))
        .text("Unit", request.get("unit"))
        .datetime("Incident Time", request.get("incident_time"))
        .build()
}
