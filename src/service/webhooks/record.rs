//! Recording the outcome of an attempt: its log, and the next attempt.

use super::{
    attempt::{DeliveryAttempt, RetryPolicy},
    log::write_log,
};
use crate::{
    domain::{
        timestamp::Timestamp,
        webhook::{self, OutboxMessage},
    },
    ids::{IdBasis, Ids},
    service::objects::encode,
    store::{Outbox, StoreError, Transaction},
};

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
        let basis = IdBasis {
            account: &message.sid,
            number: message.since.millis().cast_unsigned(),
            attempt: message.failed.into(),
        };
        let jitter = ids.retry_jitter(basis);
        let delay = webhook::retry_delay(message.failed, policy.first_delay, jitter);
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
