//! What the caller did wrong, in sentences that say what would be right.
//!
//! The other kind of fault, the machine's, is `StoreError`. The HTTP layer turns both into a status
//! and the error body.

use super::quota::Quota;

/// A request that is refused and has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The request breaks rules; one sentence each, all of them, in the order of the object's
    /// attributes. (400)
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// No credential, or a wrong one. (401)
    #[error("{0}")]
    Unauthenticated(String),
    /// A credential that may not do this. (403)
    #[error("{0}")]
    Forbidden(String),
    /// No such object in this account, or an object of another account: the two are answered alike.
    /// (404)
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The request conflicts with another one. (409)
    #[error("{0}")]
    Conflict(String),
    /// The object is not in the state that the request asks for. (412)
    #[error("{0}")]
    PreconditionFailed(String),
    /// Too many requests. (429)
    #[error("{message}")]
    TooMany {
        /// What was exceeded.
        message: String,
        /// Whole seconds after which it is worth trying again, at least 1.
        retry_after: u64,
        /// The limit.
        quota: Quota,
    },
}

impl Rejection {
    /// One fault.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(vec![message.into()])
    }

    /// Every message, one for each entry of the error body.
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
