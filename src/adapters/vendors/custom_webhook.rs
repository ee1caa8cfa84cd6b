//! `custom_webhook`: any request, interpreted by the rules of the option `custom_definition`.

use super::prelude::*;
use crate::adapters::custom_definition;

pub(super) const VENDOR: Vendor = Vendor {
    missing_id: MissingId::Generate,
    batches: Batches::Whole,
    ..Vendor::new("custom_webhook", parse)
};

const DEFAULT_TITLE: &str = "Untitled Alert";

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let definition = options.get("custom_definition").text();
    custom_definition::apply(&definition, request.log(), request.now(), |kind, action| {
        let title = action.get("title").non_empty();
        custom_definition::build_event(kind, action, action.get("thirdparty_id"))
            .title(title.unwrap_or_else(|| DEFAULT_TITLE.to_owned()))
            .description(Field::new(Some(&action.get("description").text().into())))
    })
}
