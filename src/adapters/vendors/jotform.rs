//! `jotform`: submissions of Jotform, a multipart form. Each one creates an alert.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("jotform", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let submission = request.get("submissionID");
    let url = submission
        .non_empty()
        .map(|id| format!("https://www.jotform.com/submission/{id}"));
    let title = format!("{} {}", request.get("formTitle").text(), submission.text());
    EventBuilder::new(Action::Create, submission)
        .title(title)
        .link("Submission URL", url)
        .build()
}
