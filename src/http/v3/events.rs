//! Events of third parties: `POST /integration/:id` and `GET|POST /integration/:id/g`. The id is
//! the credential.

use crate::http::{
    browser_guard,
    error::ApiError,
    extract::{
        body::{self, BodyLimit, BodyOwner, RawBody},
        multipart,
        path::IntegrationPath,
    },
    limits::rate_limit_headers,
    state::AppState,
    v3::{envelope::EVENT_STATUSES, response::NoErrorBody},
};
use crate::{
    adapters::{RequestParts, ResponseBody},
    service::events::{EventAck, EventReply, IncomingRequest, RefusedRequest},
};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
    web::{Data, Payload},
};
use std::sync::Arc;

/// Receives an event. The response is a status and usually has no body. HEAD returns the status
/// that an event would get.
pub(crate) async fn receive(
    path: IntegrationPath,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    // Everything that can be refused without the body is checked before the body is read.
    browser_guard::check_sender(request.head(), &state.live.load())?;
    if request.method() == Method::HEAD {
        return acknowledge(&request, state.events.preview(&path.0)?, None);
    }

    if state.events.receives_mail(&path.0)? {
        // A message may be as large as over SMTP.
        let live = state.live.load();
        let limit = live.body_bytes.max(live.message_bytes);
        request.extensions_mut().insert(BodyLimit(limit));
    }
    request
        .extensions_mut()
        .insert(BodyOwner(path.0.as_str().to_owned()));

    let mut incoming = without_body(&request, &state);
    let body = match RawBody::from_request(&request, &mut payload.into_inner()).await {
        Ok(body) => body,
        Err(error) => {
            log_refused(&state, &path, incoming, &error).await;
            return Err(error);
        }
    };

    let strictness = incoming.parts.strictness;
    incoming.parts.fields = multipart::form_fields(&request, &body.bytes, strictness).await;
    incoming.parts.body = body.bytes.to_vec();
    let throttle = Arc::clone(&state.live.load().events);
    let EventReply { ack, body, quota } = state.events.receive(path.0, incoming, &throttle).await?;
    let mut response = acknowledge(&request, ack, body)?;

    if let Some(quota) = quota {
        rate_limit_headers::write(quota, response.headers_mut());
    }

    Ok(response)
}

/// The request as services see it, except for its body.
fn without_body(request: &HttpRequest, state: &AppState) -> IncomingRequest {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });

    let connection = request.connection_info();
    let remote = request.peer_addr().map(|peer| peer.ip().to_string());
    let parts = RequestParts {
        method: request.method().as_str().to_owned(),
        query: request.query_string().to_owned(),
        headers: headers.collect(),
        url: format!(
            "{}://{}{}",
            connection.scheme(),
            connection.host(),
            request.uri()
        ),
        remote_ip: remote.clone(),
        strictness: body::strictness(request, &state.live.load()),
        ..RequestParts::default()
    };

    IncomingRequest {
        parts,
        path: request.path().to_owned(),
        remote,
    }
}

/// Logs an event whose body was refused. Overload and disconnects are not logged, because the event
/// is not at fault.
async fn log_refused(
    state: &AppState,
    path: &IntegrationPath,
    incoming: IncomingRequest,
    error: &ApiError,
) {
    let status = error.status_code();
    if status.is_client_error() {
        let refused = RefusedRequest {
            incoming,
            status: status.as_u16(),
            reason: error.messages().join("; "),
        };
        state.events.log_refused(&path.0, refused).await;
    }
}

/// Logs a GET without a credential on the path to which events are posted. It is a call of the API,
/// but may have been meant as an event.
pub(crate) async fn log_misplaced(state: &AppState, path: &IntegrationPath, request: &HttpRequest) {
    let reason = format!(
        "GET on this path is an API call; send events by POST, or by GET to {}/g",
        request.path()
    );
    let refused = RefusedRequest {
        incoming: without_body(request, state),
        status: StatusCode::UNAUTHORIZED.as_u16(),
        reason,
    };
    state.events.log_refused(&path.0, refused).await;
}

fn acknowledge(
    request: &HttpRequest,
    ack: EventAck,
    body: Option<ResponseBody>,
) -> Result<HttpResponse, ApiError> {
    let status = StatusCode::from_u16(EVENT_STATUSES.status(ack))
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let mut response = match body {
        Some(ResponseBody { content_type, body }) if status.is_success() => {
            HttpResponse::build(status)
                .content_type(content_type)
                // The body may repeat a parameter of the URL.
                .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .body(body)
        }
        _ => HttpResponse::build(status).finish(),
    };

    if status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, allow_without_events(request));
    }

    response.extensions_mut().insert(NoErrorBody);
    Ok(response)
}

/// The methods that the path supports while its integration is disabled.
fn allow_without_events(request: &HttpRequest) -> HeaderValue {
    let only_events = request
        .match_pattern()
        .is_some_and(|pattern| pattern.ends_with("/g"));
    HeaderValue::from_static(if only_events {
        "OPTIONS"
    } else {
        "DELETE, GET, HEAD, OPTIONS, PUT"
    })
}
