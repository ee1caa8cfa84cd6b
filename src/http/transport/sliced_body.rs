//! Large response bodies in slices.
//!
//! The HTTP library copies a body into a buffer of the connection, where it stays until the client
//! has read it. So the library gets one slice at a time. The rest is counted against the memory
//! budget, and shared between responses with the same body.

use crate::domain::ids::AccountId;
use crate::http::{
    error::ApiError,
    limits::memory_budget::{Reservation, UNCOUNTED_BYTES},
    state::AppState,
};
use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::{Bytes, Data},
};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// The account whose share of memory a large response counts towards.
#[derive(Clone, Debug)]
pub(crate) struct ResponseOwner(pub(crate) AccountId);

/// Middleware around all routes.
pub(crate) async fn slice_large_bodies(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let BodySize::Sized(length) = response.response().body().size() else {
        return Ok(response);
    };

    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let Some(state) = response
        .request()
        .app_data::<Data<AppState>>()
        .cloned()
        .filter(|_| length > UNCOUNTED_BYTES)
    else {
        return Ok(response);
    };

    // The response to a write cannot be refused any more, so its memory was reserved before.
    let reserved = response
        .response_mut()
        .extensions_mut()
        .remove::<Reservation>();
    let owner = response
        .response_mut()
        .extensions_mut()
        .remove::<ResponseOwner>();
    let owner = owner
        .as_ref()
        .map(|ResponseOwner(account)| account.as_str());

    match reserved.map_or_else(|| state.answers.reserve(length, owner), Ok) {
        Ok(reservation) => Ok(response.map_body(|_, body| match body.try_into_bytes() {
            Ok(rest) => BoxBody::new(SlicedBody {
                rest,
                _reservation: reservation,
            }),
            Err(body) => body,
        })),
        Err(error) => Ok(refuse(response, error)),
    }
}

fn refuse(response: ServiceResponse, error: ApiError) -> ServiceResponse {
    let (request, _) = response.into_parts();
    ServiceResponse::from_err(error, request)
}

/// The rest of a body.
struct SlicedBody {
    rest: Bytes,
    _reservation: Reservation,
}

impl MessageBody for SlicedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.rest.len().min(UNCOUNTED_BYTES);
        Poll::Ready((length > 0).then(|| Ok(self.rest.split_to(length))))
    }
}
