//! What a handler has read of a request's body, for the journal.

use crate::domain::recorded_request::MAX_RECORDED_BODY_BYTES;
use actix_web::{HttpMessage, HttpRequest, web::Bytes};

/// The beginning of a request's body, as a handler has read it.
pub(crate) struct ReadBody {
    pub(crate) beginning: Bytes,
    pub(crate) length: usize,
}

impl ReadBody {
    /// Keeps the beginning of a body with the request.
    pub(crate) fn keep(request: &HttpRequest, body: &[u8]) {
        let end = body.len().min(MAX_RECORDED_BODY_BYTES);
        let kept = Self {
            beginning: Bytes::copy_from_slice(body.get(..end).unwrap_or_default()),
            length: body.len(),
        };
        request.extensions_mut().insert(kept);
    }
}
