//! Events of third parties: `POST /integration/:id` and `GET|POST /integration/:id/g`. The id is
//! the key.

use crate::http::{
    browser_guard,
    error::ApiError,
    extract::body::{self, BodyOwner, RawBody},
    extract::path::IntegrationPath,
    limits::rate_limit_headers,
    state::AppState,
    v3::response::NoErrorBody,
};
use crate::{
    adapters::{self, RequestParts, ResponseBody},
    domain::body::Strictness,
    service::events::{EventAck, EventReply, IncomingRequest, Refused},
};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    http::{
        Method, StatusCode,
        header::{ALLOW, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
    web::{Data, Payload},
};
use std::sync::Arc;

/// Takes an event, whatever it is, and answers with a status and nothing else. HEAD asks what an
/// event would be answered.
pub(crate) async fn receive(
    path: IntegrationPath,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    // Before the body is asked for.
    browser_guard::check_sender(request.head(), &state.live.load())?;
    if request.method() == Method::HEAD {
        return bare(&request, state.events.look(&path.0)?, None);
    }

    state.events.find(&path.0)?;
    request
        .extensions_mut()
        .insert(BodyOwner(path.0.as_str().to_owned()));

    let mut arrival = arrival(&request, &state);
    let body = match RawBody::from_request(&request, &mut payload.into_inner()).await {
        Ok(body) => body,
        Err(problem) => {
            log_refused(&state, &path, arrival, &problem).await;
            return Err(problem);
        }
    };

    arrival.parts.fields = fields(&request, &body.bytes, arrival.parts.strictness).await;
    arrival.parts.body = body.bytes.to_vec();
    let throttle = Arc::clone(&state.live.load().events);
    let EventReply {
        receipt,
        answer,
        quota,
    } = state.events.take(path.0, arrival, &throttle).await?;
    let mut response = bare(&request, receipt, answer)?;

    if let Some(quota) = quota {
        rate_limit_headers::write(quota, response.headers_mut());
    }

    Ok(response)
}

/// The request without its body.
fn arrival(request: &HttpRequest, state: &AppState) -> IncomingRequest {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });

    let parts = RequestParts {
        method: request.method().as_str().to_owned(),
        query: request.query_string().to_owned(),
        headers: headers.collect(),
        strictness: body::strictness(request, &state.live.load()),
        ..RequestParts::default()
    };

    let remote = request.peer_addr().map(|peer| peer.ip().to_string());
    IncomingRequest {
        parts,
        path: request.path().to_owned(),
        remote,
    }
}

/// Leaves a log of an event whose body is not taken. What is refused for the sake of others, or
/// since the sender went away, is no fault of the event.
async fn log_refused(
    state: &AppState,
    path: &IntegrationPath,
    arrival: IncomingRequest,
    problem: &ApiError,
) {
    let status = problem.status_code();
    if status.is_client_error() {
        let reason = problem.sentences().join("; ");
        state
            .events
            .log_refused(
                &path.0,
                Refused {
                    arrival,
                    status: status.as_u16(),
                    reason,
                },
            )
            .await;
    }
}

/// Leaves a log of a GET on the address to which events are posted. It is a call of the API, which
/// asks for a credential, and lost if it was meant as an event.
pub(crate) async fn log_misplaced(state: &AppState, path: &IntegrationPath, request: &HttpRequest) {
    let reason = format!(
        "GET on this path is a call of the API; events are sent by GET to {}/g, or by POST",
        request.path()
    );
    let refused = Refused {
        arrival: arrival(request, state),
        status: StatusCode::UNAUTHORIZED.as_u16(),
        reason,
    };
    state.events.log_refused(&path.0, refused).await;
}

fn bare(
    request: &HttpRequest,
    receipt: EventAck,
    answer: Option<ResponseBody>,
) -> Result<HttpResponse, ApiError> {
    let status = StatusCode::from_u16(receipt.status())
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let mut response = match answer {
        Some(ResponseBody { content_type, body }) if status.is_success() => {
            HttpResponse::build(status)
                .content_type(content_type)
                // It may be what somebody has put into the URL.
                .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .body(body)
        }
        _ => HttpResponse::build(status).finish(),
    };

    if status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, allowed_without_events(request));
    }

    response.extensions_mut().insert(NoErrorBody);
    Ok(response)
}

/// Fields of a form; more are not read.
const MOST_FIELDS: usize = 1_000;

/// The methods that a path still has while its integration takes no events.
fn allowed_without_events(request: &HttpRequest) -> HeaderValue {
    let only_events = request
        .match_pattern()
        .is_some_and(|pattern| pattern.ends_with("/g"));
    HeaderValue::from_static(if only_events {
        "OPTIONS"
    } else {
        "DELETE, GET, HEAD, OPTIONS, PUT"
    })
}

/// The fields of a multipart form; none of anything else. One that is broken is mended, unless it
/// is to be read to the letter.
async fn fields(
    request: &HttpRequest,
    body: &[u8],
    strictness: Strictness,
) -> Vec<(String, String)> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let Ok(boundary) = multer::parse_boundary(kind) else {
        return Vec::new();
    };

    let form = read_form(body, &boundary).await;
    if form.is_whole || strictness == Strictness::Strict {
        return form.fields;
    }

    read_form(&mended(body, &boundary), &boundary).await.fields
}

/// The fields of a form, as far as they can be read.
struct Form {
    fields: Vec<(String, String)>,
    is_whole: bool,
}

async fn read_form(body: &[u8], boundary: &str) -> Form {
    let mut form = multer::Multipart::with_reader(body, boundary);
    let mut fields = Vec::new();
    while fields.len() < MOST_FIELDS {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            end => {
                return Form {
                    fields,
                    is_whole: end.is_ok(),
                };
            }
        };

        let name = field.name().unwrap_or_default().to_owned();
        match field.bytes().await {
            Ok(value) => fields.push((name, adapters::text(&value).into_owned())),
            Err(_) => {
                return Form {
                    fields,
                    is_whole: false,
                };
            }
        }
    }

    Form {
        fields,
        is_whole: true,
    }
}

/// A form that ends its lines as it must, and has its last boundary.
fn mended(body: &[u8], boundary: &str) -> Vec<u8> {
    let has_line_ends = body.windows(2).any(|pair| pair == b"\r\n");
    let mut mended = Vec::with_capacity(body.len());
    for byte in body {
        if *byte == b'\n' && !has_line_ends {
            mended.push(b'\r');
        }
        mended.push(*byte);
    }

    if !mended.ends_with(b"\r\n") {
        mended.extend_from_slice(b"\r\n");
    }

    mended.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    mended
}
