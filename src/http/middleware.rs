//! Middleware for every request: request id, checks of host and URL, log line, metrics, and error
//! bodies for errors of the HTTP library.

use crate::http::{
    account_alias, browser_guard,
    control::{injection, preference::PREFER, recording::Recording, target},
    early_answer,
    error::ApiError,
    limits::rate_limit_headers,
    request_id::{self, REQUEST_ID},
    state::{AppState, LiveSettings},
    transport::connection_state::ConnectionState,
    v3::{events, response::NoErrorBody},
};
use crate::{domain::quota::Quota, service::control::RequestHook};
use actix_cors::CorsError;
use actix_web::{
    Error, HttpMessage, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Uri,
        header::{CONTENT_TYPE, HeaderValue},
        uri::PathAndQuery,
    },
    middleware::Next,
    web::{Bytes, Data},
};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// The path of a route, as metrics show it.
#[derive(Clone, Copy)]
pub(super) struct RouteLabel(pub(super) &'static str);

/// The middleware around all routes and CORS.
pub(super) async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Data<AppState>>().cloned() else {
        return Err(ApiError::Internal("the application has no state".into()).into());
    };

    let started = state.clock.stopwatch();
    // Once: a reload in the middle of a request must not mix two configurations.
    let live = state.live.load();
    let id = request_id::of(&request, &state);

    let connection = ConnectionState::of(&request);
    match restore_raw_query(&mut request, &connection, &live)
        .and_then(|()| check(&request, &state, &live))
    {
        Err(error) => {
            events::log_refused_head(&state, request.request(), &error).await;
            early_answer::refuse(&mut request, error);
        }
        Ok(()) => {
            normalize_path(&mut request);
            if state.local.has_control {
                enter_account(&mut request);
            }
        }
    }

    connection.begin(&mut request);
    let hooks = state.control.hooks().active();
    let recording = hooks
        .has_any()
        .then(|| begin_recording(&request, &state))
        .flatten();
    let outcome = if hooks.has(RequestHook::Faults) || request.headers().contains_key(PREFER) {
        // On the heap, so that the future of an ordinary request does not grow.
        let injected = injection::call(request, next, &state, recording.as_deref(), &connection);
        Box::pin(injected).await
    } else {
        next.call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body)
    };
    // After the handler: a drain that began meanwhile ends the connection too.
    let must_close = connection.finish_response(state.drain.has_begun());
    let mut response = hold_until_sent(outcome?, &connection, must_close);
    let id = request_id::seeded(&response).unwrap_or(id);
    account_alias::adapt_location(&mut response);
    let has_no_error_body = response
        .response()
        .extensions()
        .get::<NoErrorBody>()
        .is_some();

    if response.status().as_u16() >= 400 && !has_no_error_body {
        response = with_error_body(response, &id);
    }

    // After the error body, so that the log has the size and status that the client gets.
    record(&state, &live, &response, &id, started.elapsed());
    response.headers_mut().insert(REQUEST_ID, id);
    let quota = response.request().extensions().get::<Quota>().copied();

    if let Some(quota) = quota {
        rate_limit_headers::write(quota, response.headers_mut());
    }

    if let Some(recording) = recording {
        let took = started.elapsed();
        response = recording.finish(&state, response, took);
    }

    if must_close {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }

    Ok(response)
}

/// Begins the entry of a request in the journal, if it gets one.
fn begin_recording(request: &ServiceRequest, state: &AppState) -> Option<Box<Recording>> {
    let target = target::identify(request, state)?;
    let at = match &target.account {
        Some(account) => state.clock.now_in(account),
        None => state.clock.now(),
    };
    // On the heap, so that the future of an ordinary request does not grow.
    Some(Box::new(Recording::new(target, at, request.uri())))
}

/// Keeps the next request of the connection waiting while a streaming body is being produced.
fn hold_until_sent(
    response: ServiceResponse,
    connection: &ConnectionState,
    must_close: bool,
) -> ServiceResponse {
    if response.response().body().size() != BodySize::Stream {
        return response;
    }

    connection.continue_response();
    let connection = connection.clone();
    response.map_body(|_, body| {
        BoxBody::new(HeldBody {
            body,
            connection,
            must_close,
        })
    })
}

/// A streaming body that releases its connection when it is dropped.
struct HeldBody {
    body: BoxBody,
    connection: ConnectionState,
    must_close: bool,
}

impl MessageBody for HeldBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

impl Drop for HeldBody {
    fn drop(&mut self) {
        self.connection.finish_response(self.must_close);
    }
}

/// Removes empty segments: `/integration/` and `//integration` become `/integration`.
fn normalize_path(request: &mut ServiceRequest) {
    let path = request.path();
    let has_empty_segment = path.len() > 1 && (path.ends_with('/') || path.contains("//"));
    if !has_empty_segment {
        return;
    }

    let mut normalized: String = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .flat_map(|segment| ["/", segment])
        .collect();

    if normalized.is_empty() {
        normalized.push('/');
    }

    let path_and_query = match request.query_string() {
        "" => normalized,
        query => format!("{normalized}?{query}"),
    };

    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        early_answer::set_uri(request, uri);
    }
}

/// Percent-encodes the bytes of the query that the stream hid from the HTTP library.
fn restore_raw_query(
    request: &mut ServiceRequest,
    connection: &ConnectionState,
    live: &LiveSettings,
) -> Result<(), ApiError> {
    let masked = request
        .uri()
        .path_and_query()
        .map_or("", PathAndQuery::as_str);
    let Some(target) = connection.take_raw_target(masked) else {
        return Ok(());
    };

    // Three times as long as sent, it may be too long for a URL.
    let uri = Uri::try_from(target).map_err(|_| ApiError::UrlTooLong {
        limit: live.url_bytes,
    })?;
    early_answer::set_uri(request, uri);
    Ok(())
}

/// Turns `/_local/as/:name/…` into the path of a route, and remembers the name.
fn enter_account(request: &mut ServiceRequest) {
    let Some((alias, rest)) = account_alias::split(request.path()) else {
        return;
    };

    let path_and_query = match request.query_string() {
        "" => rest.to_owned(),
        query => format!("{rest}?{query}"),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        early_answer::set_uri(request, uri);
        request.extensions_mut().insert(alias);
    }
}

/// Checks that need neither route nor body.
fn check(request: &ServiceRequest, state: &AppState, live: &LiveSettings) -> Result<(), ApiError> {
    if state.drain.has_begun() {
        return Err(ApiError::Draining);
    }
    browser_guard::check_host(request.head(), live)?;
    let uri = request.uri();
    let length = uri.path_and_query().map_or(0, |all| all.as_str().len());
    if length > live.url_bytes {
        return Err(ApiError::UrlTooLong {
            limit: live.url_bytes,
        });
    }

    Ok(())
}

/// Completes an error response: a server error gets the request id, so that its log line can be
/// found, and an error of the HTTP library gets an error body.
fn with_error_body(response: ServiceResponse, id: &HeaderValue) -> ServiceResponse {
    let status = response.status();
    let library_error = match response
        .response()
        .error()
        .and_then(|error| error.as_error::<CorsError>())
    {
        Some(CorsError::MethodNotAllowed) => ApiError::PreflightMethod,
        _ => ApiError::Other(status),
    };

    let ours = response
        .response()
        .error()
        .and_then(|error| error.as_error::<ApiError>());

    if let Some(cause) = ours.and_then(ApiError::cause) {
        log::error!(
            request_id:display = display(id), status = status.as_u16(), cause:display;
            "Request failed"
        );
    }

    let replacement = match ours {
        Some(error) if error.status_code().is_server_error() => {
            Some(error.respond(Some(format!("The request id is {}", display(id)))))
        }
        Some(_) => None,
        // Responses to HEAD have the headers of the body that they lack, so this holds for them
        // too.
        None if is_json(response.response()) => None,
        None => Some(library_error.respond(None)),
    };

    match replacement {
        None => response,
        Some(mut replacement) => {
            // Inner middleware has set headers, such as those of CORS, which must not be lost.
            for (name, value) in response.headers() {
                if !replacement.headers().contains_key(name) && name != CONTENT_TYPE {
                    replacement
                        .headers_mut()
                        .append(name.clone(), value.clone());
                }
            }
            response.into_response(replacement)
        }
    }
}

fn is_json(response: &HttpResponse) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json")
}

fn record(
    state: &AppState,
    live: &LiveSettings,
    response: &ServiceResponse,
    id: &HeaderValue,
    took: Duration,
) {
    let request = response.request();
    let status = response.status().as_u16();
    let route = request
        .app_data::<RouteLabel>()
        .map_or("unknown", |route| route.0);

    state.metrics.count(request.method(), route, status, took);
    if live.log_requests {
        log::info!(
            status, duration_us = took.as_micros() as u64, request_id:display = display(id);
            "{} {}", request.method(), request.path()
        );
    }
}

fn display(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}
