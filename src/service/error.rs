//! The two ways in which a service can fail.

use crate::{domain::rejection::Rejection, store::StoreError};

/// The caller's fault or the machine's.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ServiceError {
    /// The request is refused; nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
