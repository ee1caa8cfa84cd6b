//! `dynatrace`: a custom integration of Dynatrace, with the payload of PagerTree's guide.

use super::{
    Delivery,
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (state, id) = (delivery.get("State"), delivery.get("ProblemID"));
    let action = match state.text().as_str() {
        "OPEN" => Action::Create,
        "RESOLVED" => Action::Resolve,
        _ => return no_event("State", state, id),
    };

    let tags = delivery.get("Tags");
    let details =
        ["ProblemDetailsHTML", "ProblemDetailsText"].map(|name| delivery.get(name).text());
    let details = details.into_iter().find(|text| !text.trim().is_empty());

    event(action, id)
        .only_if("Tags", tags.may_be_text())
        .title(delivery.get("ProblemTitle").text())
        .description(details.unwrap_or_default())
        .tags(tags.text().split(','))
        // As PagerTree's adapter reads it; its guide sends `Problem URL`.
        .link("URL", delivery.get("ProblemURL"))
        .text("Impacted Entity", delivery.get("ImpactedEntity"))
        .text("Problem Impact", delivery.get("ProblemImpact"))
        .text("Problem Severity", delivery.get("ProblemSeverity"))
        .done()
}
