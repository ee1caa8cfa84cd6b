//! Routes for operators: the index page, health checks, and the local backup and export.

pub(crate) mod backup;
pub(crate) mod health;
pub(crate) mod index;
pub(crate) mod metrics;
pub(crate) mod tls;
