//! The wire format of version 3: list envelopes, error messages and statuses.
//!
//! Sources: PagerTree's reference, "List all Integrations", and its pages on errors.

use crate::http::{
    error::{ApiError, encode_errors},
    extract::content_coding,
    limits::rate_limit_headers,
    methods::METHODS,
};
use crate::{
    domain::{list::ListQuery, rejection::Rejection},
    service::{events::EventStatuses, lists::RecordPage},
    store::{STALL_TIMEOUT, StallCause, StoreError},
};
use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
    web::Bytes,
};

/// Encodes a list: `{"data":[…],"has_more":…,"total_count":…}`. Stored records are copied as they
/// are, without parsing them.
///
/// # Errors
/// A record from which attributes are selected cannot be read.
pub fn encode_page(page: &RecordPage, query: &ListQuery) -> serde_json::Result<Bytes> {
    let RecordPage { records, total } = page;
    let length: usize = records
        .iter()
        .map(|record| record.as_ref().len().saturating_add(1))
        .sum();
    let mut json = Vec::with_capacity(length.saturating_add(64));
    json.extend_from_slice(br#"{"data":["#);

    for (position, record) in records.iter().enumerate() {
        if position > 0 {
            json.push(b',');
        }
        match &query.select {
            None => json.extend_from_slice(record.as_ref()),
            Some(select) => json.extend_from_slice(&select.apply(record.as_ref())?),
        }
    }

    let has_more = query.page.has_more(*total);
    json.extend_from_slice(
        format!(r#"],"has_more":{has_more},"total_count":{total}}}"#).as_bytes(),
    );

    // The page is cached by its length, so it must not hold spare capacity.
    json.shrink_to_fit();
    Ok(json.into())
}

/// The statuses of responses to events.
pub const EVENT_STATUSES: EventStatuses = EventStatuses {
    accepted: 200,
    disabled: 405,
    blocked: 403,
    throttled: 429,
};

/// Seconds after which a client may try again when the server is busy or unavailable.
const RETRY_AFTER: u64 = 1;

const INTERNAL: &str = "Internal server error. The request was not at fault.";

impl ApiError {
    /// The messages of the error body.
    pub(crate) fn messages(&self) -> Vec<String> {
        let message = match self {
            Self::Rejected(rejection) => return rejection.messages(),
            Self::Unmet { messages, .. } => return messages.clone(),
            Self::Store(error) => store_message(error),
            Self::NoSuchRoute { path } => format!("There is no route '{path}'"),
            Self::MethodNotAllowed { allow } => format!("This route allows {allow}"),
            Self::Misdirected { host } => format!(
                "This server does not answer for the host '{host}'. If the name is yours, add it \
                 to the setting 'allowed_hosts'"
            ),
            Self::ForeignPage => "Events from web pages of other sites are not accepted. If the \
                                  page is yours, add its origin to the setting 'cors.origins'"
                .to_owned(),
            Self::PreflightMethod => {
                format!("Web pages may use the methods {}", METHODS.join(", "))
            }
            Self::BodyTooLarge { limit } => format!("The body may have at most {limit} bytes"),
            Self::BodyTooDense { ratio } => {
                format!("The decoded body may be at most {ratio} times as large as the encoded one")
            }
            Self::UrlTooLong { limit } => {
                format!("The path and query may have at most {limit} bytes")
            }
            Self::UnsupportedMediaType { found } => {
                format!("The 'Content-Type' must be 'application/json', but is '{found}'")
            }
            Self::UnsupportedCoding { found } => format!(
                "The 'Content-Encoding' must be one of {}, but is '{found}'",
                content_coding::ACCEPTED
            ),
            Self::BodyTooSlow { seconds } => {
                format!("The body did not arrive within {seconds} seconds")
            }
            Self::Disconnected => "The client has disconnected".to_owned(),
            Self::Draining => "The server is shutting down".to_owned(),
            Self::Busy { with } => format!("Too many {with} are waiting; nothing was changed"),
            Self::Internal(_) => INTERNAL.to_owned(),
            Self::Other(status) => status
                .canonical_reason()
                .unwrap_or("The request was refused")
                .to_owned(),
        };

        vec![message]
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Rejected(Rejection::TooMany { retry_after, .. }) => Some(*retry_after),
            Self::Store(error) if error.is_transient() => Some(RETRY_AFTER),
            Self::Draining | Self::Busy { .. } => Some(RETRY_AFTER),
            _ => None,
        }
    }

    /// The response, with an additional message after those of the error.
    pub(crate) fn respond(&self, additional: Option<String>) -> HttpResponse {
        let messages: Vec<String> = self.messages().into_iter().chain(additional).collect();
        let mut response = HttpResponseBuilder::new(self.status_code());

        match self {
            Self::Rejected(Rejection::Unauthenticated(_)) => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::MethodNotAllowed { allow } => {
                response.insert_header((header::ALLOW, allow.as_str()));
            }
            Self::PreflightMethod => {
                response.insert_header((header::ALLOW, METHODS.join(", ")));
            }
            Self::UnsupportedCoding { .. } => {
                response.insert_header((header::ACCEPT_ENCODING, content_coding::ACCEPTED));
            }
            // The rest of the body would be read as the next request.
            Self::BodyTooLarge { .. } | Self::BodyTooSlow { .. } | Self::Draining => {
                response.force_close();
            }
            _ => {}
        }

        if let Some(seconds) = self.retry_after() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }

        let mut response = response.json(encode_errors(&messages));
        if let Self::Rejected(Rejection::TooMany { quota, .. }) = self {
            rate_limit_headers::write(*quota, response.headers_mut());
        }

        response
    }
}

fn store_message(error: &StoreError) -> String {
    match error {
        StoreError::QueueFull => "Too many writes are waiting; nothing was changed".into(),
        StoreError::Unavailable => {
            "The store is temporarily unavailable; it recovers by itself once the disk does".into()
        }
        StoreError::Stalled(cause) => {
            let what = match cause {
                StallCause::Disk => "The disk has not finished a write",
                StallCause::Work => "The store has been busy with other writes",
            };
            format!(
                "{what} for {} seconds or more; nothing was changed",
                STALL_TIMEOUT.as_secs()
            )
        }
        StoreError::SnapshotExpired => {
            "Too many changes were made while this was being read; try again".into()
        }
        StoreError::TinyIdsExhausted => {
            "The account has no tinyIds left; the largest is 9007199254740991".into()
        }
        StoreError::Damaged(_) | StoreError::Engine(_) | StoreError::Sync(_) => INTERNAL.into(),
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Rejected(rejection) => match rejection {
                Rejection::Invalid(_) => StatusCode::BAD_REQUEST,
                Rejection::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Rejection::Forbidden(_) => StatusCode::FORBIDDEN,
                Rejection::NotFound(_) => StatusCode::NOT_FOUND,
                Rejection::Conflict(_) => StatusCode::CONFLICT,
                Rejection::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
                Rejection::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            },
            Self::Store(error) => match error {
                // A failed sync closes the store, so both are answered alike.
                StoreError::Unavailable
                | StoreError::Stalled(_)
                | StoreError::QueueFull
                | StoreError::SnapshotExpired
                | StoreError::Sync(_) => StatusCode::SERVICE_UNAVAILABLE,
                StoreError::TinyIdsExhausted => StatusCode::CONFLICT,
                StoreError::Damaged(_) | StoreError::Engine(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::NoSuchRoute { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Misdirected { .. } => StatusCode::MISDIRECTED_REQUEST,
            Self::ForeignPage => StatusCode::FORBIDDEN,
            Self::PreflightMethod => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge { .. } | Self::BodyTooDense { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UrlTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::UnsupportedMediaType { .. } | Self::UnsupportedCoding { .. } => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            // No one reads the second, but metrics and the log show it.
            Self::BodyTooSlow { .. } | Self::Disconnected => StatusCode::REQUEST_TIMEOUT,
            Self::Draining | Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Other(status) | Self::Unmet { status, .. } => *status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.respond(None)
    }
}
