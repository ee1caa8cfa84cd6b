//! The response to a head that does not become a request. No handler or middleware sees it.

use crate::{
    adapters::RequestParts,
    domain::{ids::IntegrationId, timestamp::Timestamp},
    http::{
        error::encode_errors,
        event_address,
        transport::head_text::{HeadText, RequestTarget},
    },
    service::events::{IncomingRequest, RefusedRequest},
};
use actix_web::http::{StatusCode, header::HttpDate};
use std::time::{Duration, SystemTime};

/// Why a head is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    /// `url_limit` is set if the request line alone is too long.
    pub(super) fn new(status: StatusCode, url_limit: Option<usize>) -> Self {
        let status = url_limit.map_or(status, |_| StatusCode::URI_TOO_LONG);
        Self {
            status,
            message: message(status, url_limit),
        }
    }

    /// Whether the request is at fault, and not the state of the server.
    pub(super) fn is_at_fault(&self) -> bool {
        self.status.is_client_error()
    }

    /// Builds the response, which is the last one of its connection.
    pub(super) fn respond(&self, now: Timestamp, request_id: &str) -> Vec<u8> {
        let status = self.status;
        let since_epoch = Duration::from_millis(now.millis().try_into().unwrap_or_default());
        let date = HttpDate::from(SystemTime::UNIX_EPOCH + since_epoch);
        let messages = [self.message.clone()];
        let body = serde_json::to_string(&encode_errors(&messages)).unwrap_or_default();
        let length = body.len();
        let retry_after = if status == StatusCode::SERVICE_UNAVAILABLE {
            "retry-after: 1\r\n"
        } else {
            ""
        };

        log::info!(
            status = status.as_u16(), request_id;
            "Refused a malformed or incomplete request"
        );
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\ncontent-type: application/json\r\n\
             request-id: {request_id}\r\n{retry_after}connection: close\r\ndate: {date}\r\n\r\n"
        );

        [head, body].concat().into_bytes()
    }

    /// The refused event, if the head is that of one, as far as the head was kept.
    pub(super) fn refused_event(
        &self,
        head: &HeadText,
        remote_ip: Option<String>,
    ) -> Option<(IntegrationId, RefusedRequest)> {
        let RequestTarget { method, target } = head.request_target()?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let id = event_address::recipient(method, path)?;
        let parts = RequestParts {
            method: method.to_owned(),
            query: query.to_owned(),
            headers: head.headers(),
            remote_ip,
            ..RequestParts::default()
        };
        let incoming = IncomingRequest {
            parts,
            path: path.to_owned(),
        };
        let refused = RefusedRequest {
            incoming,
            status: self.status.as_u16(),
            reason: self.message.clone(),
        };
        Some((id, refused))
    }
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
