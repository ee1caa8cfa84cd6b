//! The descriptor of an integration type: how its requests are authenticated and parsed.

use super::{
    event_body::Batches, field::VendorOptions, request::InboundRequest,
    response_body::ResponseBody, secret::Secret,
};
use crate::domain::event::ParsedEvent;
use serde_json::{Map, Value};

/// Turns a request into an event. Pure, and infallible: a request that makes no sense is
/// [`ParsedEvent::Ignored`], with a reason.
pub(super) type Parse = fn(&InboundRequest, VendorOptions<'_>) -> ParsedEvent;

/// Extracts what title templates see as `data` besides the parameters.
pub(super) type TemplateData = fn(&InboundRequest, VendorOptions<'_>) -> Map<String, Value>;

/// Builds the body of the HTTP response, if the request has one.
pub(super) type BuildResponse = fn(&InboundRequest, &ParsedEvent) -> Option<ResponseBody>;

/// Everything that the rest of the crate needs to know about one integration type. Each file in
/// `vendors/` has one, and `vendors.rs` lists them.
#[derive(Debug)]
pub(super) struct Vendor {
    /// The `type` of the integration.
    pub(super) name: &'static str,
    pub(super) parse: Parse,
    /// The secret that a request must present if the integration's options name one.
    pub(super) secret: Option<Secret>,
    /// What happens to an event that would create an alert but has no third-party id.
    pub(super) missing_id: MissingId,
    /// How a body with several events is read.
    pub(super) batches: Batches,
    /// Whether the options `title_template` and `description_template` apply.
    pub(super) has_title_templates: bool,
    /// Members of `data` in title templates besides the parameters.
    pub(super) template_data: Option<TemplateData>,
    /// For senders that read the body of the response.
    pub(super) response_body: Option<BuildResponse>,
    /// Whether the sender repeats a request until it is answered with 200.
    pub(super) retries_until_ok: bool,
}

/// What happens to an event that would create an alert but has no third-party id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MissingId {
    /// The event is ignored.
    Ignore,
    /// The alert gets a unique id.
    Generate,
}

impl Vendor {
    /// A vendor with the usual properties: no secret, ids are required, batches are split.
    pub(super) const fn new(name: &'static str, parse: Parse) -> Self {
        Self {
            name,
            parse,
            secret: None,
            missing_id: MissingId::Ignore,
            batches: Batches::Split,
            has_title_templates: true,
            template_data: None,
            response_body: None,
            retries_until_ok: false,
        }
    }
}
