//! Extractors for the id in a path.

use crate::domain::{
    ids::{AccountId, AlertId, IntegrationId, LogId},
    rejection::Rejection,
    resource::Resource,
};
use crate::http::error::ApiError;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::{Ready, ready};

/// The integration id in the path. A malformed id gets the same response as an unknown one.
#[derive(Debug)]
pub(crate) struct IntegrationPath(pub(crate) IntegrationId);

/// The alert id in the path.
#[derive(Debug)]
pub(crate) struct AlertPath(pub(crate) AlertId);

/// The log id in the path.
#[derive(Debug)]
pub(crate) struct LogPath(pub(crate) LogId);

/// The account id in the path.
#[derive(Debug)]
pub(crate) struct AccountPath(pub(crate) AccountId);

/// The id in the path of an object of a kind that has no rules of its own.
#[derive(Debug)]
pub(crate) struct ResourcePath<R: Resource>(pub(crate) R::Id);

impl<R: Resource> FromRequest for ResourcePath<R> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parse = |text: &str| R::parse_id(text).ok_or(());
        ready(id(request, parse, R::NAME).map(Self))
    }
}

fn id<T, E>(
    request: &HttpRequest,
    parse: impl Fn(&str) -> Result<T, E>,
    name: &'static str,
) -> Result<T, ApiError> {
    parse(request.match_info().get("id").unwrap_or_default())
        .map_err(|_| Rejection::NotFound(name).into())
}

macro_rules! path {
    ($path:ident, $id:ident, $name:literal) => {
        impl FromRequest for $path {
            type Error = ApiError;
            type Future = Ready<Result<Self, ApiError>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(id(request, $id::parse, $name).map(Self))
            }
        }
    };
}

path!(IntegrationPath, IntegrationId, "Integration");
path!(AccountPath, AccountId, "Account");
path!(AlertPath, AlertId, "Alert");
path!(LogPath, LogId, "Log");
