//! Errors of the API and their body. Messages and statuses are in
//! [`v3::envelope`](super::v3::envelope).

use crate::{domain::rejection::Rejection, service::error::ServiceError, store::StoreError};
use actix_web::{ResponseError, http::StatusCode};
use serde::Serialize;

/// An error that is answered with a status of 400 or above.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request is at fault.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Unknown path. (404)
    #[error("no such route")]
    NoSuchRoute {
        /// The path.
        path: String,
    },
    /// The path does not support the method. (405)
    #[error("method not allowed")]
    MethodNotAllowed {
        /// The methods that it supports, as in `Allow`.
        allow: String,
    },
    /// A host that this server does not answer for. (421)
    #[error("unknown host")]
    Misdirected {
        /// The host.
        host: String,
    },
    /// In open mode, an event from a web page of another site. (403)
    #[error("event from a web page of another site")]
    ForeignPage,
    /// A CORS preflight for a method that no route supports. (400)
    #[error("method not allowed for web pages")]
    PreflightMethod,
    /// The body exceeds the limit. (413)
    #[error("body too large")]
    BodyTooLarge {
        /// Maximum in bytes.
        limit: usize,
    },
    /// A compressed body that expands too much. (413)
    #[error("body expands too much")]
    BodyTooDense {
        /// Maximum ratio of decoded to encoded size.
        ratio: usize,
    },
    /// The path with its query exceeds the limit. (414)
    #[error("URL too long")]
    UrlTooLong {
        /// Maximum in bytes.
        limit: usize,
    },
    /// The body is not declared as JSON. (415)
    #[error("unsupported media type")]
    UnsupportedMediaType {
        /// The declared type.
        found: String,
    },
    /// Unknown content coding. (415)
    #[error("unsupported content coding")]
    UnsupportedCoding {
        /// The declared coding.
        found: String,
    },
    /// The body did not arrive in time. (408)
    #[error("the body did not arrive in time")]
    BodyTooSlow {
        /// The time limit.
        seconds: u64,
    },
    /// What a test expected or waited for has not happened. (408, 409)
    #[error("{}", .messages.join("; "))]
    Unmet {
        /// The status.
        status: StatusCode,
        /// What has happened instead.
        messages: Vec<String>,
    },
    /// The client has disconnected, so no one reads this. (408)
    #[error("the client has disconnected")]
    Disconnected,
    /// The server is shutting down. (503)
    #[error("the server is shutting down")]
    Draining,
    /// Too many requests are waiting for a limited resource. (503)
    #[error("too many {with} are waiting")]
    Busy {
        /// What is limited, as a plural.
        with: &'static str,
    },
    /// A bug or a failure of the system. (500)
    #[error("{0}")]
    Internal(String),
    /// An error of the HTTP library.
    #[error("{0}")]
    Other(StatusCode),
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Rejected(rejection) => rejection.into(),
            ServiceError::Store(error) => error.into(),
        }
    }
}

impl ApiError {
    /// The cause to log for operators. `None` for errors of the caller, for overload, and for an
    /// unavailable store, which is logged once and not for each request.
    pub(super) fn cause(&self) -> Option<String> {
        let is_expected = match self {
            Self::Store(error) => error.is_transient(),
            Self::Busy { .. } | Self::Draining => true,
            _ => false,
        };
        (!is_expected && self.status_code().is_server_error()).then(|| self.to_string())
    }
}

/// Encodes an error body: `{"errors":[{"message":"…"}]}`.
pub(crate) fn encode_errors(messages: &[String]) -> impl Serialize {
    #[derive(Serialize)]
    struct ErrorBody<'a> {
        errors: Vec<ErrorMessage<'a>>,
    }

    #[derive(Serialize)]
    struct ErrorMessage<'a> {
        message: &'a str,
    }

    let errors = messages.iter().map(|message| ErrorMessage { message });
    ErrorBody {
        errors: errors.collect(),
    }
}
