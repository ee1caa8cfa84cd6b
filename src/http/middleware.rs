//! What happens to every request, whatever its route: a request id, limits on the URL, one log
//! line, one count, and the error body for whatever was refused beneath our own code.

use crate::domain::quota::Quota;
use crate::http::{
    browser_guard,
    error::ApiError,
    limits::rate_limit_headers,
    routes::RouteLabel,
    state::{AppState, LiveSettings},
    transport::connection_state::ConnectionState,
    v3::response::NoErrorBody,
};
use actix_cors::CorsError;
use actix_web::{
    Error, HttpMessage, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Uri,
        header::{CONTENT_TYPE, HeaderName, HeaderValue},
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

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENTS_REQUEST_ID: &str = "x-request-id";

/// Wraps the whole service.
pub(super) async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Data<AppState>>().cloned() else {
        return Err(ApiError::Internal("the application has no state".into()).into());
    };

    let started = state.clock.stopwatch();
    let live = state.live.load();
    let id = request_id(&request, &state);

    match fault(&request, &state, &live) {
        Some(problem) => divert(&mut request, problem),
        None => tidy_path(&mut request),
    }

    let exchange = ConnectionState::of(&request);
    exchange.begin(&mut request);
    let outcome = next.call(request).await;
    let must_close = exchange.answered(state.drain.has_begun());
    let mut response = until_sent(outcome?.map_into_boxed_body(), &exchange, must_close);
    let bare = response
        .response()
        .extensions()
        .get::<NoErrorBody>()
        .is_some();

    if response.status().as_u16() >= 400 && !bare {
        response = with_error_body(response, &id);
    }

    record(&state, &live, &response, &id, started.elapsed());
    response.headers_mut().insert(REQUEST_ID, id);
    let quota = response.request().extensions().get::<Quota>().copied();

    if let Some(quota) = quota {
        rate_limit_headers::write(quota, response.headers_mut());
    }

    if must_close {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }

    Ok(response)
}

/// Keeps the next request waiting while a body is still being made.
fn until_sent(
    response: ServiceResponse,
    exchange: &ConnectionState,
    last: bool,
) -> ServiceResponse {
    if response.response().body().size() != BodySize::Stream {
        return response;
    }

    exchange.answering();
    let exchange = exchange.clone();
    response.map_body(|_, body| {
        BoxBody::new(UntilSent {
            body,
            exchange,
            last,
        })
    })
}

/// A body of unknown length, and the exchange that goes on behind it.
struct UntilSent {
    body: BoxBody,
    exchange: ConnectionState,
    last: bool,
}

impl MessageBody for UntilSent {
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

impl Drop for UntilSent {
    fn drop(&mut self) {
        self.exchange.answered(self.last);
    }
}

/// Makes `/integration/` and `//integration` the same route as `/integration`.
fn tidy_path(request: &mut ServiceRequest) {
    let path = request.path();
    let is_untidy = path.len() > 1 && (path.ends_with('/') || path.contains("//"));
    if !is_untidy {
        return;
    }

    let mut tidy: String = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .flat_map(|segment| ["/", segment])
        .collect();

    if tidy.is_empty() {
        tidy.push('/');
    }

    let path_and_query = match request.query_string() {
        "" => tidy,
        query => format!("{tidy}?{query}"),
    };

    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        set_uri(request, uri);
    }
}

fn set_uri(request: &mut ServiceRequest, uri: Uri) {
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
}

/// The client's own id, if it is one, or a new one.
fn request_id(request: &ServiceRequest, state: &AppState) -> HeaderValue {
    let own = request.headers().get(CLIENTS_REQUEST_ID).filter(|id| {
        (1..=64).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|byte| (b' '..=b'~').contains(byte))
    });
    own.cloned().unwrap_or_else(|| {
        HeaderValue::try_from(state.request_ids.next())
            .unwrap_or(HeaderValue::from_static("req_unnumbered"))
    })
}

/// Sends what must not reach a route to the one that refuses. It goes on from here like any other
/// request, so that a page can read the refusal: CORS comes after this.
fn divert(request: &mut ServiceRequest, problem: ApiError) {
    request.extensions_mut().insert(problem);
    set_uri(request, Uri::from_static(REFUSED));
}

/// A path without a route.
const REFUSED: &str = "/-/refused";

fn fault(request: &ServiceRequest, state: &AppState, live: &LiveSettings) -> Option<ApiError> {
    if state.drain.has_begun() {
        return Some(ApiError::Draining);
    }
    if let Err(problem) = browser_guard::check_host(request.head(), live) {
        return Some(problem);
    }
    let uri = request.uri();
    let length = uri.path_and_query().map_or(0, |all| all.as_str().len());
    (length > live.url_bytes).then_some(ApiError::UrlTooLong {
        limit: live.url_bytes,
    })
}

/// Completes an error: a fault of ours tells the request id, so that the log line can be found;
/// what did not come from our own code gets the error body.
fn with_error_body(response: ServiceResponse, id: &HeaderValue) -> ServiceResponse {
    let status = response.status();
    let foreign = match response
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
        log::error!(request_id:display = display(id), status = status.as_u16(), cause:display = cause; "A request failed");
    }

    let replacement = match ours {
        Some(problem) if problem.status_code().is_server_error() => {
            Some(problem.respond(Some(format!("The request id is {}", display(id)))))
        }
        Some(_) => None,
        // A HEAD request has the headers of the body that it does not get, so this holds for it
        // too.
        None if is_json(response.response()) => None,
        None => Some(foreign.respond(None)),
    };

    match replacement {
        None => response,
        Some(mut replacement) => {
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
