//! Writing what succeeded.

use crate::http::{
    extract::preconditions,
    limits::memory_budget::{Reservation, UNCOUNTED_BYTES},
};
use crate::{
    domain::{entity_tag::EntityTag, ids::AccountId},
    service::lists::ListPage,
    store::Stored,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentType, HeaderValue},
    web::Bytes,
};

/// Marks an answer that has no body, whatever its status: who sends events looks at nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoErrorBody;

/// Whose answer it is, beside one that takes reservation.
#[derive(Clone, Debug)]
pub(crate) struct ResponseOwner(pub(crate) AccountId);

/// 200 and a stored object of the account, as it is, or 304 to who has it already.
pub(crate) fn object(request: &HttpRequest, account: &AccountId, stored: Stored) -> HttpResponse {
    let tag = EntityTag::of(stored.as_ref());
    unless_known(request, tag, || owned(account, Bytes::from_owner(stored)))
}

/// The same with some attributes of a stored object. The tag is that of all of it, so that it is
/// good for a change too.
pub(crate) fn selected(
    request: &HttpRequest,
    account: &AccountId,
    stored: &Stored,
    some: Vec<u8>,
) -> HttpResponse {
    unless_known(request, EntityTag::of(stored.as_ref()), || {
        owned(account, some.into())
    })
}

/// 200 and a stored object after a write, with the reservation that was taken for it before anything was
/// written.
pub(crate) fn written(stored: Stored, reservation: Reservation) -> HttpResponse {
    let tag = EntityTag::of(stored.as_ref());
    let mut response = json(Bytes::from_owner(stored));
    response.extensions_mut().insert(reservation);
    add_tag(&mut response, tag);
    response
}

/// The answer, unless the client has it: then 304.
fn unless_known(
    request: &HttpRequest,
    tag: EntityTag,
    answer: impl FnOnce() -> HttpResponse,
) -> HttpResponse {
    let known = preconditions::tags(request.headers(), &header::IF_NONE_MATCH);
    let is_known = known.is_some_and(|tags| tags.include_weakly(tag));
    let mut response = if is_known {
        HttpResponse::NotModified().finish()
    } else {
        answer()
    };
    add_tag(&mut response, tag);
    response
}

/// Who keeps an answer must ask each time whether it still holds.
const CACHING: HeaderValue = HeaderValue::from_static("private, no-cache");

fn add_tag(response: &mut HttpResponse, tag: EntityTag) {
    if let Ok(tag) = HeaderValue::from_bytes(&tag.text()) {
        response.headers_mut().insert(header::ETAG, tag);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, CACHING);
    }
}

/// 200 and JSON that counts for the account while it is being sent.
fn owned(account: &AccountId, body: Bytes) -> HttpResponse {
    let is_large = body.len() > UNCOUNTED_BYTES;
    let mut response = json(body);
    if is_large {
        response
            .extensions_mut()
            .insert(ResponseOwner(account.clone()));
    }
    response
}

/// 200 and JSON.
pub(crate) fn json(body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(body.into())
}

/// 200 and a list, or 304, with its `Link` header if there is one.
pub(crate) fn list(
    request: &HttpRequest,
    account: &AccountId,
    page: &ListPage,
    links: Option<String>,
) -> HttpResponse {
    let mut response = unless_known(request, page.tag, || owned(account, page.body.clone()));
    if let Some(links) = links.and_then(|links| HeaderValue::try_from(links).ok()) {
        response.headers_mut().insert(header::LINK, links);
    }
    response
}
