//! An attempt to deliver a message, and recording its outcome.

use crate::{
    domain::webhook::OutboxMessage,
    http_client::{OutboundRequest, OutboundResponse, SendError},
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
    pub(super) fn has_failed(&self) -> bool {
        match self {
            Self::Dropped(_) => false,
            Self::Sent(_, outcome) => !outcome
                .as_ref()
                .is_ok_and(|response| (200..300).contains(&response.status)),
        }
    }

    pub(super) fn is_permanent_failure(&self) -> bool {
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
