//! The id in a path.

use super::problem::Problem;
use crate::domain::{
    ids::{AlertId, IntegrationId, LogId},
    rejection::Rejection,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::{Ready, ready};

/// The integration that the path names. What cannot be an id is answered like one that does not
/// exist.
#[derive(Debug)]
pub(super) struct IntegrationPath(pub(super) IntegrationId);

/// The alert that the path names.
#[derive(Debug)]
pub(super) struct AlertPath(pub(super) AlertId);

/// The log that the path names.
#[derive(Debug)]
pub(super) struct LogPath(pub(super) LogId);

fn id<T, E>(
    request: &HttpRequest,
    parse: impl Fn(&str) -> Result<T, E>,
    name: &'static str,
) -> Result<T, Problem> {
    parse(request.match_info().get("id").unwrap_or_default())
        .map_err(|_| Rejection::NotFound(name).into())
}

macro_rules! path {
    ($path:ident, $id:ident, $name:literal) => {
        impl FromRequest for $path {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(id(request, $id::parse, $name).map(Self))
            }
        }
    };
}

path!(IntegrationPath, IntegrationId, "Integration");
path!(AlertPath, AlertId, "Alert");
path!(LogPath, LogId, "Log");
