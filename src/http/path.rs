//! The id in a path.

use super::problem::Problem;
use crate::domain::{ids::IntegrationId, rejection::Rejection};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::{Ready, ready};

/// The integration that the path names. What cannot be an id is answered like one that does not exist.
#[derive(Debug)]
pub(super) struct IntegrationPath(pub(super) IntegrationId);

impl FromRequest for IntegrationPath {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").unwrap_or_default();
        ready(IntegrationId::parse(id).map(Self).map_err(|_| Rejection::NotFound("Integration").into()))
    }
}
