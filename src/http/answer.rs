//! Writing what succeeded.

use super::room::Part;
use crate::{service::lists::ListPage, store::Stored};
use actix_web::{
    HttpResponse,
    http::header::{self, ContentType, HeaderValue},
    web::Bytes,
};

/// Marks an answer that has no body, whatever its status: who sends events looks at nothing else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bare;

/// 200 and a stored object, as it is.
pub(super) fn object(stored: Stored) -> HttpResponse {
    json(Bytes::from_owner(stored))
}

/// The same after a write, with the room that was taken for it before anything was written.
pub(super) fn written(stored: Stored, room: Part) -> HttpResponse {
    let mut response = object(stored);
    response.extensions_mut().insert(room);
    response
}

/// 200 and JSON.
pub(super) fn json(body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::Ok().insert_header(ContentType::json()).body(body.into())
}

/// 200 and a list, with its `Link` header if there is one.
pub(super) fn list(page: &ListPage, links: Option<String>) -> HttpResponse {
    let mut response = json(page.json.clone());
    if let Some(links) = links.and_then(|links| HeaderValue::try_from(links).ok()) {
        response.headers_mut().insert(header::LINK, links);
    }
    response
}
