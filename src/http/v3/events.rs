//! Events of third parties: `POST /integration/:id` and `GET|POST /integration/:id/g`. The id is
//! the credential.

use crate::http::{
    browser_guard,
    error::ApiError,
    event_address,
    extract::{
        base_url,
        body::{self, BodyLimit, BodyOwner, RawBody},
        caller, multipart,
        path::IntegrationPath,
    },
    limits::rate_limit_headers,
    state::AppState,
    transport::connection_state::ConnectionState,
    v3::{envelope::EVENT_STATUSES, response::NoErrorBody},
};
use crate::{
    adapters::{RequestParts, ResponseBody},
    domain::ids::IntegrationId,
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
    // A web page of another site must have no effect, so its events leave no log either.
    browser_guard::check_sender(request.head(), &state.live.load())?;
    if request.method() == Method::HEAD {
        return acknowledge(&request, state.events.preview(&path.0)?, None);
    }

    let reception = state.events.reception(&path.0)?;
    caller::note_account(&request, &reception.account);
    if reception.receives_mail {
        // A message may be as large as over SMTP.
        let live = state.live.load();
        let limit = live.body_bytes.max(live.message_bytes);
        request.extensions_mut().insert(BodyLimit(limit));
    }
    request
        .extensions_mut()
        .insert(BodyOwner(path.0.as_str().to_owned()));

    let body = match RawBody::from_request(&request, &mut payload.into_inner()).await {
        Ok(body) => body,
        Err(error) => {
            log_refused(&state, &path.0, &request, &error).await;
            return Err(error);
        }
    };

    let mut parts = without_body(&request, &state);
    if reception.reads_url {
        parts.url = url(&request);
    }
    parts.fields = form_fields(&parts, &body.bytes).await;
    parts.body = body.bytes.to_vec();
    let incoming = IncomingRequest {
        parts,
        path: request.path().to_owned(),
    };

    let throttle = Arc::clone(&state.live.load().events);
    let EventReply { ack, body, quota } = state.events.receive(path.0, incoming, &throttle).await?;
    let mut response = acknowledge(&request, ack, body)?;

    if let Some(quota) = quota {
        rate_limit_headers::write(quota, response.headers_mut());
    }

    Ok(response)
}

/// The fields of a multipart body.
pub(crate) async fn form_fields(parts: &RequestParts, body: &[u8]) -> Vec<(String, String)> {
    let content_type = parts.header("content-type").unwrap_or_default();
    multipart::form_fields(content_type, body, parts.strictness).await
}

/// The URL of a request, as its client sees it.
fn url(request: &HttpRequest) -> String {
    format!("{}{}", origin(request), request.uri())
}

/// Scheme and host of this server, as the client sees them.
pub(crate) fn origin(request: &HttpRequest) -> String {
    let connection = request.connection_info();
    format!("{}://{}", base_url::scheme(request), connection.host())
}

/// The request as services see it, except for its URL and its body.
fn without_body(request: &HttpRequest, state: &AppState) -> RequestParts {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let mut headers: Vec<_> = headers.collect();
    if let Some(connection) = request.conn_data::<ConnectionState>() {
        connection.with_head_text(|head| head.sort_headers(&mut headers));
    }

    RequestParts {
        method: request.method().as_str().to_owned(),
        query: request.query_string().to_owned(),
        headers,
        remote_ip: request.peer_addr().map(|peer| peer.ip().to_string()),
        strictness: body::strictness(request, &state.live.load()),
        ..RequestParts::default()
    }
}

/// Logs an event that was refused. Overload and disconnects are not logged, because the event
/// is not at fault.
async fn log_refused(
    state: &AppState,
    id: &IntegrationId,
    request: &HttpRequest,
    error: &ApiError,
) {
    let status = error.status_code();
    if status.is_client_error() {
        let reason = error.messages().join("; ");
        log_without_body(state, id, request, status, reason).await;
    }
}

/// Logs an event that the middleware refused. Does nothing for any other request.
pub(crate) async fn log_refused_head(state: &AppState, request: &HttpRequest, error: &ApiError) {
    if let Some(id) = event_address::recipient(request.method().as_str(), request.path()) {
        log_refused(state, &id, request, error).await;
    }
}

async fn log_without_body(
    state: &AppState,
    id: &IntegrationId,
    request: &HttpRequest,
    status: StatusCode,
    reason: String,
) {
    let incoming = IncomingRequest {
        parts: without_body(request, state),
        path: request.path().to_owned(),
    };
    let refused = RefusedRequest {
        incoming,
        status: status.as_u16(),
        reason,
    };
    state.events.log_refused(id, refused).await;
}

/// Logs a GET without a credential on the path to which events are posted. It is a call of the API,
/// but may have been meant as an event.
pub(crate) async fn log_misplaced(state: &AppState, path: &IntegrationPath, request: &HttpRequest) {
    let reason = format!(
        "GET on this path is an API call; send events by POST, or by GET to {}/g",
        request.path()
    );
    log_without_body(state, &path.0, request, StatusCode::UNAUTHORIZED, reason).await;
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
