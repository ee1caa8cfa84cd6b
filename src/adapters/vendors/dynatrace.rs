//! `dynatrace`: custom integrations of Dynatrace, with the payload of PagerTree's guide.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("dynatrace", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (state, id) = (request.get("State"), request.get("ProblemID"));
    let action = match state.text().as_str() {
        "OPEN" => Action::Create,
        "RESOLVED" => Action::Resolve,
        _ => return no_action("State", state, id),
    };

    let tags = request.get("Tags");
    let details =
        ["ProblemDetailsHTML", "ProblemDetailsText"].map(|name| request.get(name).text());
    let details = details.into_iter().find(|text| !text.trim().is_empty());

    EventBuilder::new(action, id)
        .require("Tags", tags.is_text_or_missing())
        .title(request.get("ProblemTitle"))
        .description_text(details.unwrap_or_default())
        .tags(tags.text().split(','))
        // PagerTree's adapter reads `ProblemURL`, although its guide sends `Problem URL`.
        .link("URL", request.get("ProblemURL"))
        .text("Impacted Entity", request.get("ImpactedEntity"))
        .text("Problem Impact", request.get("ProblemImpact"))
        .text("Problem Severity", request.get("ProblemSeverity"))
        .build()
}
