//! `If-Match` and `If-None-Match`.

use crate::domain::entity_tag::{EntityTags, Preconditions};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH},
};
use std::{
    convert::Infallible,
    future::{Ready, ready},
};

/// The preconditions of the request.
#[derive(Debug)]
pub(crate) struct PreconditionHeaders(pub(crate) Preconditions);

impl FromRequest for PreconditionHeaders {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let headers = request.headers();
        ready(Ok(Self(Preconditions {
            if_match: tags(headers, &IF_MATCH),
            if_none_match: tags(headers, &IF_NONE_MATCH),
        })))
    }
}

/// The tags of a header, which may have several lines.
pub(crate) fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<EntityTags> {
    if !headers.contains_key(name) {
        return None;
    }
    let lines: Vec<_> = headers
        .get_all(name)
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    Some(EntityTags::parse(&lines.join(",")))
}
