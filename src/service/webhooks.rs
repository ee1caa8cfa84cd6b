//! Outgoing webhooks: telling third parties about alert events.
//!
//! A transactional outbox: the commit that changes an alert also enqueues a message for each
//! integration that wants to hear of it (`announce`, `outbox`). The `dispatcher` sends the messages
//! afterwards, one at a time for each integration and in their order, with retries (`attempt`).
//! The `scheduler` decides which outbox is next. Each attempt leaves a `log`. Where fanning out
//! would make one commit too large, `fan_out` does it in small commands later. Confirmations of
//! subscriptions take the same way.

mod announce;
mod attempt;
mod dispatcher;
mod fan_out;
mod fault;
mod hop_trail;
mod log;
mod outbox;
mod record;
mod request;
mod scheduler;
mod senders;
mod worker;

pub use attempt::RetryPolicy;
pub use dispatcher::dispatch;
pub use scheduler::MAX_CONCURRENT;
pub use worker::OutboxWorker;

pub(super) use announce::announce;
pub(super) use outbox::enqueue_confirmation;
pub(super) use senders::{check_origin, register, unregister, validate_options};
