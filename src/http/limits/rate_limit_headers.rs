//! The headers `RateLimit` and `RateLimit-Policy`
//! (draft-ietf-httpapi-ratelimit-headers-10).

use crate::domain::quota::Quota;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Adds both headers.
pub(crate) fn write(quota: Quota, headers: &mut HeaderMap) {
    let Quota {
        policy,
        per_minute,
        remaining,
        reset_seconds,
    } = quota;
    let values = [
        (
            RATE_LIMIT_POLICY,
            format!("\"{policy}\";q={per_minute};w=60"),
        ),
        (
            RATE_LIMIT,
            format!("\"{policy}\";r={remaining};t={reset_seconds}"),
        ),
    ];

    for (name, value) in values {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}
