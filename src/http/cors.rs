//! Cross-origin resource sharing: which web pages may call, and what they may read.

use crate::http::{methods::METHODS, state::AppState};
use actix_cors::Cors;
use actix_web::{dev::RequestHead, http::header::HeaderValue, web::Data};

/// CORS for the web pages that may call: all methods, all request headers, and our response headers
/// readable.
pub(super) fn cors(state: Data<AppState>) -> Cors {
    let is_allowed = move |origin: &HeaderValue, _: &RequestHead| {
        let live = state.live.load();
        origin.to_str().is_ok_and(|origin| {
            live.allowed_origins
                .allow(origin, live.authenticator.requires_key())
        })
    };

    Cors::default()
        .allowed_origin_fn(is_allowed)
        .allowed_methods(METHODS)
        .allow_any_header()
        .expose_headers([
            "ETag",
            "Link",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Request-Id",
            "Retry-After",
        ])
        .max_age(3600)
}
