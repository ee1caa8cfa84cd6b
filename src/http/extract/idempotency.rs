//! `Idempotency-Key`: makes repeated creates safe.

use crate::domain::{idempotency::IdempotencyKey, rejection::Rejection};
use crate::http::error::ApiError;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::{Ready, ready};

/// The key of the request, if it has one.
#[derive(Debug)]
pub(crate) struct IdempotencyHeader(pub(crate) Option<IdempotencyKey>);

impl FromRequest for IdempotencyHeader {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = request
            .headers()
            .get("idempotency-key")
            .map(|value| IdempotencyKey::parse(value.as_bytes()));
        ready(
            key.transpose()
                .map(Self)
                .map_err(|fault| Rejection::invalid(fault).into()),
        )
    }
}
