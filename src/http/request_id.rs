//! The id of a request, by which its response and its log line are found.

use crate::http::{extract::caller::SeededRequestId, state::AppState};
use actix_web::{
    HttpMessage,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: &str = "x-request-id";

/// The request id from the client if it is valid, else a new one.
pub(super) fn of(request: &ServiceRequest, state: &AppState) -> HeaderValue {
    let from_client = request.headers().get(CLIENT_REQUEST_ID).filter(|id| {
        (1..=64).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|byte| (b' '..=b'~').contains(byte))
    });
    from_client.cloned().unwrap_or_else(|| {
        HeaderValue::try_from(state.request_ids.next())
            .unwrap_or(HeaderValue::from_static("req_unnumbered"))
    })
}

/// The id of a request whose account has a seed, unless the client has sent one.
pub(super) fn seeded(response: &ServiceResponse) -> Option<HeaderValue> {
    let request = response.request();
    let SeededRequestId(id) = request.extensions_mut().remove::<SeededRequestId>()?;
    let is_from_client = request.headers().contains_key(CLIENT_REQUEST_ID);
    HeaderValue::try_from(id).ok().filter(|_| !is_from_client)
}
