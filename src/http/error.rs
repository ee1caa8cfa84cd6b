//! Every fault, its status and its body: `{"errors":[{"message":"…"}]}`.
//!
//! Source: PagerTree's public v3 pages on errors; api.md section 3.

use crate::http::{extract::content_coding, limits::rate_limit_headers, routes::METHODS};
use crate::{
    domain::rejection::Rejection,
    service::error::ServiceError,
    store::{STALL_TIMEOUT, StallCause, StoreError},
};
use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;

/// Whatever is answered with a status from 400 up.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The caller's fault.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An unknown path. (404)
    #[error("there is no such route")]
    NoSuchRoute {
        /// The path.
        path: String,
    },
    /// A known path with a method that it does not have. (405)
    #[error("method not allowed")]
    MethodNotAllowed {
        /// The methods that it has.
        allow: &'static str,
    },
    /// A host that this server does not answer for. (421)
    #[error("not a host of this server")]
    Misdirected {
        /// The host.
        host: String,
    },
    /// An event that a page of a stranger sends, while no key is needed. (403)
    #[error("an event from a page of a stranger")]
    ForeignPage,
    /// A page's preflight for a method that no route has. (400)
    #[error("method not allowed to pages")]
    PreflightMethod,
    /// A body over the limit. (413)
    #[error("body too large")]
    BodyTooLarge {
        /// Bytes.
        limit: usize,
    },
    /// A compressed body that would become much larger than it came. (413)
    #[error("body too dense")]
    BodyTooDense {
        /// How many times as large it may become.
        ratio: usize,
    },
    /// A path with query over the limit. (414)
    #[error("URL too long")]
    UrlTooLong {
        /// Bytes.
        limit: usize,
    },
    /// A body that says it is no JSON. (415)
    #[error("unsupported media type")]
    UnsupportedMediaType {
        /// What it says it is.
        found: String,
    },
    /// A body that is coded in a way that is not known. (415)
    #[error("unsupported content coding")]
    UnsupportedCoding {
        /// What it says it is.
        found: String,
    },
    /// A body that takes too long. (408)
    #[error("the body did not arrive in time")]
    BodyTooSlow {
        /// The time it had.
        seconds: u64,
    },
    /// A request that came after the signal to stop. (503)
    #[error("the server is shutting down")]
    Draining,
    /// Too many wait already for work that takes long. (503)
    #[error("too many {with} are waiting")]
    Busy {
        /// What they wait for.
        with: &'static str,
    },
    /// A fault of ours. (500)
    #[error("{0}")]
    Internal(String),
    /// Something beneath our own code refused the request.
    #[error("{0}")]
    Other(StatusCode),
}

impl From<ServiceError> for ApiError {
    fn from(fault: ServiceError) -> Self {
        match fault {
            ServiceError::Rejected(rejection) => rejection.into(),
            ServiceError::Store(error) => error.into(),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    errors: Vec<Message<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

/// Seconds after which it is worth asking a server again that cannot serve now.
const RETRY_AFTER: u64 = 1;

impl ApiError {
    /// What the error body says, one sentence each.
    pub(super) fn sentences(&self) -> Vec<String> {
        let one = match self {
            Self::Rejected(rejection) => return rejection.messages(),
            Self::Store(error) => return vec![store_message(error)],
            Self::NoSuchRoute { path } => format!("There is no route '{path}'"),
            Self::MethodNotAllowed { allow } => format!("This route allows {allow}"),
            Self::Misdirected { host } => format!(
                "This server does not answer for the host '{host}'. If it is yours, add its name to the setting 'allowed_hosts'"
            ),
            Self::ForeignPage => {
                "This event comes from a web page of another site. If the page is yours, add its origin to the setting 'cors.origins'"
                    .to_owned()
            }
            Self::PreflightMethod => format!("Pages may use {}", METHODS.join(", ")),
            Self::BodyTooLarge { limit } => format!("The body may have at most {limit} bytes"),
            Self::BodyTooDense { ratio } => {
                format!("The body may become at most {ratio} times as large as it came when it is decoded")
            }
            Self::UrlTooLong { limit } => format!("The path and query may have at most {limit} bytes"),
            Self::UnsupportedMediaType { found } => {
                format!("The body must be sent as 'Content-Type: application/json', but came as '{found}'")
            }
            Self::UnsupportedCoding { found } => {
                format!("The 'Content-Encoding' of a body may be {}, but was '{found}'", content_coding::ACCEPTED)
            }
            Self::BodyTooSlow { seconds } => format!("The body did not arrive within {seconds} seconds"),
            Self::Draining => "The server is shutting down".to_owned(),
            Self::Busy { with } => format!("Too many {with} are waiting; nothing was changed"),
            Self::Internal(_) => INTERNAL.to_owned(),
            Self::Other(status) => status.canonical_reason().unwrap_or("The request was refused").to_owned(),
        };

        vec![one]
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Rejected(Rejection::TooMany { retry_after, .. }) => Some(*retry_after),
            Self::Store(error) if error.is_transient() => Some(RETRY_AFTER),
            Self::Draining | Self::Busy { .. } => Some(RETRY_AFTER),
            _ => None,
        }
    }

    /// What an operator must know and a client must not. Who comes when there is much to do is no
    /// fault, and why the store takes no writes is told once and not at each request.
    pub(crate) fn cause(&self) -> Option<String> {
        let told = matches!(self, Self::Store(error) if error.is_transient());
        let fault = !told && !matches!(self, Self::Busy { .. } | Self::Draining);
        (fault && self.status_code().is_server_error()).then(|| self.to_string())
    }

    /// The response, with further messages behind its own.
    pub(crate) fn respond(&self, more: Option<String>) -> HttpResponse {
        let messages: Vec<String> = self.sentences().into_iter().chain(more).collect();
        let body = Body {
            errors: messages.iter().map(|message| Message { message }).collect(),
        };

        let mut response = HttpResponseBuilder::new(self.status_code());
        match self {
            Self::Rejected(Rejection::Unauthenticated(_)) => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::MethodNotAllowed { allow } => {
                response.insert_header((header::ALLOW, *allow));
            }
            Self::PreflightMethod => {
                response.insert_header((header::ALLOW, METHODS.join(", ")));
            }
            Self::UnsupportedCoding { .. } => {
                response.insert_header((header::ACCEPT_ENCODING, content_coding::ACCEPTED));
            }
            // What was not read of the body would be taken for the next request.
            Self::BodyTooLarge { .. } | Self::BodyTooSlow { .. } | Self::Draining => {
                response.force_close();
            }
            _ => {}
        }

        if let Some(seconds) = self.retry_after() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }

        let mut response = response.json(body);
        if let Self::Rejected(Rejection::TooMany { quota, .. }) = self {
            rate_limit_headers::write(*quota, response.headers_mut());
        }

        response
    }
}

const INTERNAL: &str = "The server could not do this; it is not your fault";

fn store_message(error: &StoreError) -> String {
    match error {
        StoreError::QueueFull => "Too many writes are waiting; nothing was changed".into(),
        StoreError::Unavailable => {
            "The store cannot do this just now; it goes on by itself once its disk works again"
                .into()
        }
        StoreError::Stalled(with) => {
            let what = match with {
                StallCause::Disk => "The disk has not finished a write",
                StallCause::Work => "The store has been busy with other writes",
            };
            format!(
                "{what} for {} seconds or more; nothing was changed",
                STALL_TIMEOUT.as_secs()
            )
        }
        StoreError::SnapshotExpired => {
            "Too much was changed while this was being read; try again".into()
        }
        StoreError::TinyIdsExhausted => {
            "The account has used up its numbers: no tinyId above 9007199254740991 is given".into()
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
                // A failed sync stops the store, so it is answered like one that has stopped.
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
            Self::BodyTooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Draining | Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Other(status) => *status,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.respond(None)
    }
}
