//! `typeform`: webhooks of Typeform. Each response to a form creates an alert.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("typeform", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let response = request.get("form_response");
    let form = response.dig(["definition", "title"]);
    EventBuilder::new(Action::Create, response.get("token"))
        .title(join_present([form, response.get("submitted_at")], ": "))
        .build()
}
