//! An attempt to deliver a message, and recording its outcome.

use super::log::write_log;
use crate::{
    domain::{
        timestamp::Timestamp,
        webhook::{self, OutboxMessage},
    },
    http_client::{OutboundRequest, OutboundResponse, SendError},
    ids::Ids,
    service::objects::encode,
    store::{Outbox, StoreError, Transaction},
};
use std::sync::Arc;

/// When and how often a failed delivery is retried.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts for each message.
    pub max_attempts: u32,
    /// Seconds before the first retry. Each further pause is three times as long.
    pub first_delay: u64,
    /// Messages that may wait for one integration.
    pub max_queued: u64,
}

/// The outcome of an attempt to deliver a message.
#[derive(Debug)]
pub(super) enum DeliveryAttempt {
    /// The message was not sent, for this reason.
    Dropped(&'static str),
    /// The request was made. It got a response or failed.
    Sent(Arc<OutboundRequest>, Result<OutboundResponse, SendError>),
}

impl DeliveryAttempt {
    fn has_failed(&self) -> bool {
        match self {
            Self::Dropped(_) => false,
            Self::Sent(_, outcome) => !outcome
                .as_ref()
                .is_ok_and(|response| (200..300).contains(&response.status)),
        }
    }

    fn is_permanent_failure(&self) -> bool {
        matches!(self, Self::Sent(_, Err(SendError::Permanent(_))))
    }

    /// The outcome as the log of the attempt states it.
    pub(super) fn outcome_text(&self, message: &OutboxMessage, will_retry: bool) -> String {
        let number = message.failed;
        let next = if will_retry {
            "will be retried"
        } else {
            "no more retries"
        };

        match self {
            Self::Dropped(reason) => format!("not sent: {reason}"),
            Self::Sent(_, Ok(response)) if !self.has_failed() => {
                format!("delivered on attempt {number} (HTTP {})", response.status)
            }
            Self::Sent(_, Ok(response)) => format!(
                "failed on attempt {number} (HTTP {}); {next}",
                response.status
            ),
            Self::Sent(_, Err(error)) => format!("failed on attempt {number}: {error}; {next}"),
        }
    }
}

/// A message together with the outcome of the attempt to deliver it. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct CompletedAttempt(pub(super) Arc<(OutboxMessage, DeliveryAttempt)>);

impl CompletedAttempt {
    pub(super) fn sent(
        message: OutboxMessage,
        request: Arc<OutboundRequest>,
        outcome: Result<OutboundResponse, SendError>,
    ) -> Self {
        Self(Arc::new((message, DeliveryAttempt::Sent(request, outcome))))
    }

    pub(super) fn dropped(message: OutboxMessage, reason: &'static str) -> Self {
        Self(Arc::new((message, DeliveryAttempt::Dropped(reason))))
    }
}

/// Records the outcome of an attempt to deliver the first message of a queue: writes its log, then
/// removes the message or postpones it.
pub(super) fn record_attempt(
    transaction: &mut Transaction<'_>,
    queue: Outbox,
    mut message: OutboxMessage,
    attempt: &DeliveryAttempt,
    ids: &Ids,
    now: Timestamp,
    policy: RetryPolicy,
) -> Result<(), StoreError> {
    message.failed = message.failed.saturating_add(1);
    let will_retry = attempt.has_failed()
        && !attempt.is_permanent_failure()
        && message.failed < policy.max_attempts;
    let outcome = attempt.outcome_text(&message, will_retry);
    try_write_log(transaction, ids, now, &message, attempt, outcome)?;

    if will_retry {
        let delay = webhook::retry_delay(message.failed, policy.first_delay, ids.number());
        let next = now
            .millis()
            .saturating_add(delay.try_into().unwrap_or(i64::MAX));
        transaction.postpone(
            queue,
            Timestamp::from_millis(next).unwrap_or(now),
            encode(&message)?,
        );
    } else {
        transaction.pop_message(queue, now);
    }

    Ok(())
}

/// Writes the log of an attempt if possible. Delivery continues without it where the account's logs
/// are damaged or have no numbers left.
pub(super) fn try_write_log(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    message: &OutboxMessage,
    attempt: &DeliveryAttempt,
    outcome: String,
) -> Result<(), StoreError> {
    match write_log(transaction, ids, now, message, attempt, outcome) {
        Err(cause) if cause.is_damage() || matches!(cause, StoreError::TinyIdsExhausted) => {
            let integration = &message.integration_id;
            log::warn!(
                cause:display, integration:display;
                "Could not write the log of a webhook"
            );
            Ok(())
        }
        outcome => outcome,
    }
}
