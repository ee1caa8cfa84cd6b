//! Successful responses.

use crate::http::{
    error::ApiError,
    extract::preconditions,
    limits::memory_budget::{Reservation, UNCOUNTED_BYTES},
    transport::sliced_body::ResponseOwner,
};
use crate::{
    domain::{
        entity_tag::EntityTag,
        ids::AccountId,
        list::{Schema, Select},
    },
    service::{error::ServiceError, lists::ListPage, objects},
    store::Stored,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentType, HeaderValue},
    web::Bytes,
};

/// Marks a response that gets no error body. Third parties look only at the status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoErrorBody;

/// 200 with a record, or with the attributes that `select` names, or 304 if the client has it. The
/// tag is always that of the whole record, so that it works as a precondition of an update.
///
/// # Errors
/// An invalid `select`; whatever `get` fails with; the record is damaged.
pub(crate) fn record(
    request: &HttpRequest,
    account: &AccountId,
    schema: Schema,
    get: impl FnOnce() -> Result<Stored, ServiceError>,
) -> Result<HttpResponse, ApiError> {
    let select = Select::parse_query(schema, request.query_string())?;
    let stored = get()?;
    let tag = EntityTag::of(stored.as_ref());
    let body = match select {
        None => Bytes::from_owner(stored),
        Some(select) => objects::select(&stored, &select)?.into(),
    };

    Ok(unless_cached(request, tag, || owned(Some(account), body)))
}

/// 200 with a record that was written. Its memory was reserved before the write, which cannot be
/// refused afterwards.
pub(crate) fn written(stored: Stored, reservation: Reservation) -> HttpResponse {
    let tag = EntityTag::of(stored.as_ref());
    let mut response = json(Bytes::from_owner(stored));
    response.extensions_mut().insert(reservation);
    add_tag(&mut response, tag);
    response
}

/// 200 with all records that were written, as one page of a list.
pub(crate) fn all_written(records: &[Stored], reservation: Reservation) -> HttpResponse {
    let bytes = records.iter().map(|record| record.as_ref());
    let joined = bytes.collect::<Vec<_>>().join(&b',');
    let count = records.len();
    let mut body = br#"{"data":["#.to_vec();
    body.extend(joined);
    body.extend_from_slice(format!(r#"],"has_more":false,"total_count":{count}}}"#).as_bytes());

    let mut response = json(body);
    response.extensions_mut().insert(reservation);
    response
}

/// The response, or 304 if the client has it.
fn unless_cached(
    request: &HttpRequest,
    tag: EntityTag,
    respond: impl FnOnce() -> HttpResponse,
) -> HttpResponse {
    let cached = preconditions::tags(request.headers(), &header::IF_NONE_MATCH);
    let is_cached = cached.is_some_and(|tags| tags.match_weakly(tag));
    let mut response = if is_cached {
        HttpResponse::NotModified().finish()
    } else {
        respond()
    };
    add_tag(&mut response, tag);
    response
}

/// Clients may keep a response but must revalidate it each time.
const CACHING: HeaderValue = HeaderValue::from_static("private, no-cache");

fn add_tag(response: &mut HttpResponse, tag: EntityTag) {
    if let Ok(tag) = HeaderValue::from_bytes(&tag.to_bytes()) {
        response.headers_mut().insert(header::ETAG, tag);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, CACHING);
    }
}

/// 200 with JSON whose memory counts towards the share of the account, if it belongs to one, while
/// it is being sent.
pub(crate) fn owned(account: Option<&AccountId>, body: Bytes) -> HttpResponse {
    let is_large = body.len() > UNCOUNTED_BYTES;
    let mut response = json(body);
    if let Some(account) = account.filter(|_| is_large) {
        response
            .extensions_mut()
            .insert(ResponseOwner(account.clone()));
    }
    response
}

/// 200 with JSON.
pub(crate) fn json(body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(body.into())
}

/// 200 with a list, or 304, and its `Link` header.
pub(crate) fn list(
    request: &HttpRequest,
    account: Option<&AccountId>,
    page: &ListPage,
    links: Option<String>,
) -> HttpResponse {
    let mut response = unless_cached(request, page.tag, || owned(account, page.body.clone()));
    if let Some(links) = links.and_then(|links| HeaderValue::try_from(links).ok()) {
        response.headers_mut().insert(header::LINK, links);
    }
    response
}
