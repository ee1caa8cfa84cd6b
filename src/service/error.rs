//! Errors of services.

use crate::{domain::rejection::Rejection, store::StoreError};

/// Why a service failed: the request or the store is at fault.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ServiceError {
    /// The request was refused. Nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
