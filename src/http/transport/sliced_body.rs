//! Large answers, handed over slice by slice.
//!
//! The HTTP library copies what it is given into a buffer of the connection, however long the
//! client takes to take it. So it is given no more than the connection can send soon; the rest
//! stays where it is, counted, and shared with everybody who is answered the same.

use crate::http::{
    error::ApiError,
    limits::memory_budget::{Reservation, UNCOUNTED_BYTES},
    state::AppState,
    v3::response::ResponseOwner,
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

/// Wraps all routes.
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

    // What was written cannot be refused any more, so its room was taken before.
    let taken_before = response
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

    match taken_before.map_or_else(|| state.answers.reserve(length, owner), Ok) {
        Ok(part) => Ok(response.map_body(|_, body| match body.try_into_bytes() {
            Ok(rest) => BoxBody::new(SlicedBody {
                rest,
                _until_sent: part,
            }),
            Err(body) => body,
        })),
        Err(problem) => Ok(busy(response, problem)),
    }
}

fn busy(response: ServiceResponse, problem: ApiError) -> ServiceResponse {
    let (request, _) = response.into_parts();
    ServiceResponse::from_err(problem, request)
}

/// What is left of an answer.
struct SlicedBody {
    rest: Bytes,
    _until_sent: Reservation,
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
