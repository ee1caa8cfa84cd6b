//! Events of third parties: `POST /integration/:id` and `GET|POST /integration/:id/g`. The id is the key.

use super::{
    answer::Bare,
    body::{self, RawBody, Sender},
    page,
    path::IntegrationPath,
    problem::Problem,
    quota,
    state::State,
};
use crate::{
    adapters::{Answer, DeliveryParts},
    service::incoming::{Arrival, Receipt, Taken},
};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{ALLOW, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
    web::{Data, Payload},
};
use std::sync::Arc;

/// Takes an event, whatever it is, and answers with a status and nothing else. HEAD asks what an event would be answered.
pub(super) async fn take(
    path: IntegrationPath,
    request: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    // Before the body is asked for.
    page::check_sender(request.head(), &state.live.load())?;
    if request.method() == Method::HEAD {
        return bare(&request, state.incoming.look(&path.0)?, None);
    }
    state.incoming.find(&path.0)?;
    request.extensions_mut().insert(Sender(path.0.as_str().to_owned()));
    let body = RawBody::from_request(&request, &mut payload.into_inner()).await?;
    let fields = fields(&request, &body.bytes).await;
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let parts = DeliveryParts {
        method: request.method().as_str().to_owned(),
        query: request.query_string().to_owned(),
        headers: headers.collect(),
        fields,
        body: body.bytes.to_vec(),
        strictness: body::strictness(&request, &state.live.load()),
    };
    let arrival = Arrival {
        parts,
        path: request.path().to_owned(),
        remote: request.peer_addr().map(|peer| peer.ip().to_string()),
    };
    let throttle = Arc::clone(&state.live.load().events);
    let Taken { receipt, answer, quota } = state.incoming.take(path.0, arrival, &throttle).await?;
    let mut response = bare(&request, receipt, answer)?;
    if let Some(quota) = quota {
        quota::write(quota, response.headers_mut());
    }
    Ok(response)
}

fn bare(request: &HttpRequest, receipt: Receipt, answer: Option<Answer>) -> Result<HttpResponse, Problem> {
    let status = StatusCode::from_u16(receipt.status()).map_err(|error| Problem::Internal(error.to_string()))?;
    let mut response = match answer {
        Some(Answer { content_type, body }) if status.is_success() => {
            HttpResponse::build(status)
                .content_type(content_type)
                // It may be what somebody has put into the URL.
                .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .body(body)
        }
        _ => HttpResponse::build(status).finish(),
    };
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, allowed_without_events(request));
    }
    response.extensions_mut().insert(Bare);
    Ok(response)
}

/// Fields of a form; more are not read.
const MOST_FIELDS: usize = 1_000;

/// The methods that a path still has while its integration takes no events.
fn allowed_without_events(request: &HttpRequest) -> HeaderValue {
    let only_events = request.match_pattern().is_some_and(|pattern| pattern.ends_with("/g"));
    HeaderValue::from_static(if only_events { "OPTIONS" } else { "DELETE, GET, HEAD, OPTIONS, PUT" })
}

/// The fields of a multipart form; none of anything else, nor of one that is broken.
async fn fields(request: &HttpRequest, body: &[u8]) -> Vec<(String, String)> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Ok(boundary) = multer::parse_boundary(kind) else { return Vec::new() };
    let mut form = multer::Multipart::with_reader(body, boundary);
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.ok().flatten().filter(|_| fields.len() < MOST_FIELDS) {
        let name = field.name().unwrap_or_default().to_owned();
        if let Ok(value) = field.bytes().await {
            fields.push((name, String::from_utf8_lossy(&value).into_owned()));
        }
    }
    fields
}
