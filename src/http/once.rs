//! `Idempotency-Key`: a create that is to happen only once, however often it is sent.

use super::problem::Problem;
use crate::domain::{idempotency::IdempotencyKey, rejection::Rejection};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::{Ready, ready};

/// The request's key, if it has one.
#[derive(Debug)]
pub(super) struct Once(pub(super) Option<IdempotencyKey>);

impl FromRequest for Once {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

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
