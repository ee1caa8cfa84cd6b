//! Answers to requests that are not processed.

use crate::http::error::ApiError;
use actix_web::{HttpMessage, HttpResponse, dev::ServiceRequest, http::Uri};

/// The answer of the middleware to a request that is not processed.
pub(super) struct EarlyAnswer(pub(super) Result<HttpResponse, ApiError>);

/// Answers a request with an error instead of processing it.
pub(super) fn refuse(request: &mut ServiceRequest, error: ApiError) {
    redirect(request, EarlyAnswer(Err(error)));
}

/// Answers a request with this response instead of processing it.
pub(super) fn answer(request: &mut ServiceRequest, response: HttpResponse) {
    redirect(request, EarlyAnswer(Ok(response)));
}

/// Redirects a request to a path without a route, whose handler returns the answer. The request
/// still passes CORS, so that a web page can read the response.
fn redirect(request: &mut ServiceRequest, answer: EarlyAnswer) {
    request.extensions_mut().insert(answer);
    set_uri(request, Uri::from_static(REFUSED_PATH));
}

const REFUSED_PATH: &str = "/-/refused";

/// Replaces the target of a request that has not been routed.
pub(super) fn set_uri(request: &mut ServiceRequest, uri: Uri) {
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
}
