//! Extractors for bodies, of bounded size and within a time limit.

use crate::domain::{
    body::{Strictness, kind_of},
    rejection::Rejection,
    reserved,
    values::{self, MAX_VALUES},
};
use crate::http::{
    error::ApiError,
    extract::{content_coding::Codings, read_body::ReadBody},
    limits::memory_budget::{MemoryBudget, Reservation, UNCOUNTED_BYTES},
    state::{AppState, LiveSettings},
    transport::connection_state::ConnectionState,
    transport::framing::Framing,
};
use crate::service::{control::RequestHook, events::MAIL_TYPE};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::header::{CONTENT_LENGTH, CONTENT_TYPE},
    web::{self, BytesMut, Data},
};
use serde_json::{Map, Value};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    time::Duration,
};

/// The beginning of the JSON library's error for more than [`MAX_DEPTH`] levels.
const TOO_DEEP_ERROR: &str = "recursion limit exceeded";
/// Maximum nesting of objects and arrays, set by the JSON library.
const MAX_DEPTH: u8 = 127;

/// Some programs begin a text with it. It is not part of the JSON (RFC 8259, 8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bodies up to this size are parsed on the serving thread.
const MAX_QUICK_BYTES: usize = 64 << 10;

/// A body that is a JSON object.
#[derive(Debug)]
pub(crate) struct JsonObject {
    pub(crate) attributes: Map<String, Value>,
    pub(crate) strictness: Strictness,
    /// Length of the decoded body.
    pub(crate) bytes: usize,
    _reservation: Reservation,
}

impl FromRequest for JsonObject {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let state = request
                .app_data::<Data<AppState>>()
                .ok_or_else(|| ApiError::Internal("the application has no state".into()))?;
            let strictness = strictness(&request, &state.live.load());

            check_media_type(&request, strictness)?;
            let (bytes, reservation) = receive(&request, payload, state).await?;
            let length = bytes.len();
            let attributes = if length > MAX_QUICK_BYTES {
                // On a blocking thread, so that other requests are served meanwhile.
                let parsed = web::block(move || parse(without_byte_order_mark(&bytes))).await;
                parsed.map_err(|error| ApiError::Internal(error.to_string()))??
            } else {
                parse(without_byte_order_mark(&bytes))?
            };

            Ok(Self {
                attributes,
                strictness,
                bytes: length,
                _reservation: reservation,
            })
        })
    }
}

/// A body of any kind.
#[derive(Debug)]
pub(crate) struct RawBody {
    pub(crate) bytes: BytesMut,
    _reservation: Reservation,
}

impl FromRequest for RawBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let state = request
                .app_data::<Data<AppState>>()
                .ok_or_else(|| ApiError::Internal("the application has no state".into()))?;
            let (bytes, reservation) = receive(&request, payload, state).await?;
            Ok(Self {
                bytes,
                _reservation: reservation,
            })
        })
    }
}

/// Reads the body within the time limit, and decodes it.
async fn receive(
    request: &HttpRequest,
    payload: Payload,
    state: &AppState,
) -> Result<(BytesMut, Reservation), ApiError> {
    if let Some(BufferedBody(bytes, reservation)) = request.extensions_mut().remove() {
        return Ok((bytes, reservation));
    }

    let codings = Codings::parse(request.headers())?;
    let live = state.live.load();
    let limit = request
        .extensions()
        .get::<BodyLimit>()
        .map_or(live.body_bytes, |limit| limit.0);
    let seconds = live.body_seconds;

    drop(live);
    let connection = request
        .conn_data::<ConnectionState>()
        .cloned()
        .unwrap_or_default();
    let reading = read(request, payload, limit, &state.bodies, &connection);
    let received = tokio::select! {
        // A body that has arrived already needs no timers.
        biased;
        received = reading => received,
        () = actix_rt::time::sleep(Duration::from_secs(seconds)) => {
            Err(ApiError::BodyTooSlow { seconds })
        }
        () = state.drain.last_call() => Err(ApiError::Draining),
    };

    connection.end_body(received.is_ok());
    let (bytes, mut reservation) = received?;
    let decoded = codings.decode(bytes, limit, state).await?;
    if state.control.hooks().active().has(RequestHook::Journal) {
        ReadBody::keep(request, &decoded);
    }

    reservation.grow_to(decoded.len())?;
    Ok((decoded, reservation))
}

/// A body that was read before its request was routed.
struct BufferedBody(BytesMut, Reservation);

/// Reads the body of a request before it is routed, for those who decide by it. The extractors find
/// it afterwards. `integration_type` is that of the integration in the path.
///
/// # Errors
/// As for the extractors.
pub(crate) async fn read_ahead(
    request: &HttpRequest,
    payload: Payload,
    state: &AppState,
    integration_type: Option<&str>,
) -> Result<(), ApiError> {
    if integration_type == Some(MAIL_TYPE) {
        let live = state.live.load();
        let limit = live.body_bytes.max(live.message_bytes);
        request.extensions_mut().insert(BodyLimit(limit));
    }

    let (bytes, reservation) = receive(request, payload, state).await?;
    ReadBody::keep(request, &bytes);
    let body = BufferedBody(bytes, reservation);
    request.extensions_mut().insert(body);
    Ok(())
}

fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// How strictly to parse a request.
pub(crate) fn strictness(request: &HttpRequest, live: &LiveSettings) -> Strictness {
    if requests_strictness(request) {
        Strictness::Strict
    } else {
        live.strictness
    }
}

/// `X-Strict: true` makes a request strict. Nothing makes a strict server lenient.
fn requests_strictness(request: &HttpRequest) -> bool {
    let header = request.headers().get(STRICT_HEADER);
    header.is_some_and(|value| is_true(value.as_bytes()))
}

pub(crate) const STRICT_HEADER: &str = "x-strict";

/// Whether the value of a header means yes.
pub(crate) fn is_true(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    value.eq_ignore_ascii_case(b"true") || value == b"1"
}

/// Lenient parsing accepts a body without a declared type; strict parsing does not.
fn check_media_type(request: &HttpRequest, strictness: Strictness) -> Result<(), ApiError> {
    let Some(header) = request.headers().get(CONTENT_TYPE) else {
        return match strictness {
            Strictness::Lenient => Ok(()),
            Strictness::Strict => Err(ApiError::UnsupportedMediaType {
                found: "missing".into(),
            }),
        };
    };

    let text = header.to_str().unwrap_or_default();
    let mut parts = text
        .split(';')
        .map(|reservation| reservation.trim().to_ascii_lowercase());
    let json = parts
        .next()
        .is_some_and(|essence| essence == "application/json");
    let utf8 = parts.all(|parameter| match parameter.strip_prefix("charset=") {
        Some(charset) => {
            charset.trim_matches('"') == "utf-8" || charset.trim_matches('"') == "utf8"
        }
        None => true,
    });

    if json && utf8 {
        Ok(())
    } else {
        Err(ApiError::UnsupportedMediaType {
            found: crate::domain::body::excerpt(text),
        })
    }
}

async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
    budget: &MemoryBudget,
    connection: &ConnectionState,
) -> Result<(BytesMut, Reservation), ApiError> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());

    if announced.is_some_and(|length| length > limit) {
        return Err(ApiError::BodyTooLarge { limit });
    }

    let mut reservation = budget.empty_reservation(owner(request).as_deref());
    let remaining = |body: &BytesMut| announced.map(|length| length.saturating_sub(body.len()));
    // Do not trust the announced length for more than this.
    let mut body = BytesMut::with_capacity(announced.unwrap_or_default().min(UNCOUNTED_BYTES));
    connection.await_body(remaining(&body));

    while let Some(chunk) =
        poll_fn(|context| futures_core::Stream::poll_next(Pin::new(&mut payload), context)).await
    {
        let chunk = chunk.map_err(|error| read_error(&error, limit, connection))?;
        let length = body.len().saturating_add(chunk.len());
        if length > limit {
            return Err(ApiError::BodyTooLarge { limit });
        }
        reservation.grow_to(length)?;
        body.extend_from_slice(&chunk);
        connection.await_body(remaining(&body));
    }

    Ok((body, reservation))
}

/// The maximum size of this request's body in bytes, instead of that of the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// Whose share of memory a body counts towards: the account, or the integration of an event.
#[derive(Clone, Debug)]
pub(crate) struct BodyOwner(pub(crate) String);

fn owner(request: &HttpRequest) -> Option<String> {
    request
        .extensions()
        .get::<BodyOwner>()
        .map(|sender| sender.0.clone())
}

fn read_error(error: &PayloadError, limit: usize, connection: &ConnectionState) -> ApiError {
    match error {
        _ if connection.framing() == Framing::Broken => {
            Rejection::invalid("The body is not valid in 'Transfer-Encoding: chunked'").into()
        }
        PayloadError::Overflow => ApiError::BodyTooLarge { limit },
        other => Rejection::invalid(format!("Reading the body failed: {other}")).into(),
    }
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if bytes.trim_ascii().is_empty() {
        return Err(Rejection::invalid("The body must be a JSON object, but is empty").into());
    }

    // A shorter body has no room for more.
    let count = if bytes.len() > MAX_VALUES {
        values::count_values(bytes)
    } else {
        0
    };

    if count > MAX_VALUES {
        let message = format!(
            "The body may hold at most {MAX_VALUES} values, members and items, but holds {count}"
        );
        return Err(Rejection::invalid(message).into());
    }

    if reserved::has_reserved_name(bytes) {
        let message = format!("No name in the body may begin with '{}'", reserved::PREFIX);
        return Err(Rejection::invalid(message).into());
    }

    match serde_json::from_slice(bytes) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        Ok(other) => Err(Rejection::invalid(format!(
            "The body must be a JSON object, but is {}",
            kind_of(&other)
        ))
        .into()),
        Err(error) if error.to_string().starts_with(TOO_DEEP_ERROR) => {
            let (line, column) = (error.line(), error.column());
            let message = format!(
                "The body may be nested at most {MAX_DEPTH} levels deep; the next level begins at \
                 line {line} column {column}"
            );
            Err(Rejection::invalid(message).into())
        }
        Err(error) => {
            Err(Rejection::invalid(format!("The body is not valid JSON: {error}")).into())
        }
    }
}
