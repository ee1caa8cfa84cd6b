//! The services: each decides what a request may do and does it. They use the store below and know
//! nothing of HTTP above.

pub mod accounts;
pub mod alerts;
pub mod authentication;
mod blocking;
pub mod control;
pub mod destinations;
pub mod dispatch_signal;
pub mod error;
pub mod events;
pub mod fair_shares;
mod idempotency;
pub mod integrations;
pub mod lists;
pub mod log_once;
pub mod logs;
pub mod metrics;
pub mod objects;
pub mod resources;
pub mod retention;
pub mod throttle;
pub mod tokens;
pub mod webhooks;
