//! Errors of the caller, with messages that say what would be valid.
//!
//! Errors of the machine are `StoreError`. The HTTP layer maps both to a status and an error body.

use super::quota::Quota;

/// A refused request. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Invalid input, with one message per error in the order of the object's attributes (400).
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// The credential is missing or wrong (401).
    #[error("{0}")]
    Unauthenticated(String),
    /// The credential lacks the permission (403).
    #[error("{0}")]
    Forbidden(String),
    /// The object does not exist in this account (404). Objects of other accounts are not told
    /// apart.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The request conflicts with another one (409).
    #[error("{0}")]
    Conflict(String),
    /// A precondition of the request does not hold (412).
    #[error("{0}")]
    PreconditionFailed(String),
    /// A rate limit is exceeded (429).
    #[error("{message}")]
    TooMany {
        /// Which limit.
        message: String,
        /// Seconds to wait before a retry, at least 1.
        retry_after: u64,
        /// The limit.
        quota: Quota,
    },
}

impl Rejection {
    /// Invalid input with one message.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(vec![message.into()])
    }

    /// The messages, one per entry of the error body.
    pub fn messages(&self) -> Vec<String> {
        match self {
            Self::Invalid(messages) => messages.clone(),
            Self::Unauthenticated(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::PreconditionFailed(_)
            | Self::TooMany { .. } => vec![self.to_string()],
        }
    }
}
