//! Writing what succeeded.

use crate::{service::lists::ListPage, store::Stored};
use actix_web::{
    HttpResponse,
    http::header::{self, ContentType, HeaderValue},
    web::Bytes,
};

/// 200 and a stored object, as it is.
pub(super) fn object(stored: Stored) -> HttpResponse {
    json(Bytes::from_owner(stored))
}

/// 200 and JSON.
pub(super) fn json(body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::Ok().insert_header(ContentType::json()).body(body.into())
}

/// 200 and a list, with its `Link` header. Source: the reference, "List all Integrations".
pub(super) fn list(page: &ListPage, has_more: bool, links: &str) -> HttpResponse {
    let length: usize = page.objects.iter().map(|object| object.len().saturating_add(1)).sum();
    let mut body = Vec::with_capacity(length.saturating_add(64));
    body.extend_from_slice(br#"{"data":["#);
    for (position, object) in page.objects.iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        body.extend_from_slice(object);
    }
    body.extend_from_slice(format!(r#"],"has_more":{has_more},"total_count":{}}}"#, page.total).as_bytes());
    let mut response = json(body);
    if let Ok(links) = HeaderValue::try_from(links) {
        response.headers_mut().insert(header::LINK, links);
    }
    response
}
