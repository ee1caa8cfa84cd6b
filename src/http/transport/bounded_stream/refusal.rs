//! The response to a head that does not become a request. No handler or middleware sees it.

use crate::domain::timestamp::Timestamp;
use crate::http::error::encode_errors;
use actix_web::http::{StatusCode, header::HttpDate};
use std::time::{Duration, SystemTime};

/// Builds the response, which is the last one of its connection. `url_limit` is set if the request
/// line alone is too long.
pub(super) fn respond(
    status: StatusCode,
    url_limit: Option<usize>,
    now: Timestamp,
    request_id: &str,
) -> Vec<u8> {
    let status = url_limit.map_or(status, |_| StatusCode::URI_TOO_LONG);
    let since_epoch = Duration::from_millis(now.millis().try_into().unwrap_or_default());
    let date = HttpDate::from(SystemTime::UNIX_EPOCH + since_epoch);
    let messages = [message(status, url_limit)];
    let body = serde_json::to_string(&encode_errors(&messages)).unwrap_or_default();
    let length = body.len();
    let retry_after = if status == StatusCode::SERVICE_UNAVAILABLE {
        "retry-after: 1\r\n"
    } else {
        ""
    };

    log::info!(status = status.as_u16(), request_id; "Refused a malformed or incomplete request");
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\ncontent-type: application/json\r\n\
         request-id: {request_id}\r\n{retry_after}connection: close\r\ndate: {date}\r\n\r\n"
    );

    [head, body].concat().into_bytes()
}

fn message(status: StatusCode, url_limit: Option<usize>) -> String {
    let message = match (url_limit, status) {
        (Some(limit), _) => return format!("The path and query may have at most {limit} bytes"),
        (None, StatusCode::BAD_REQUEST) => "This is not a valid HTTP/1.1 request",
        (None, StatusCode::REQUEST_TIMEOUT) => "The head of the request did not arrive in time",
        (None, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE) => {
            "The head of the request is too large"
        }
        (None, StatusCode::SERVICE_UNAVAILABLE) => "The server is shutting down",
        (None, other) => other
            .canonical_reason()
            .unwrap_or("The request was refused"),
    };

    message.to_owned()
}
