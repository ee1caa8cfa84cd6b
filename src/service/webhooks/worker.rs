//! Processing one outbox: what to do with its first message, and recording what came of it.

use super::{
    attempt::{CompletedAttempt, DeliveryAttempt, RetryPolicy},
    hop_trail::HopTrail,
    record::{record_attempt, try_write_log},
    request,
};
use crate::{
    clock::Clock,
    domain::{
        integration::Integration,
        log::Log,
        webhook::{self, OutboxMessage},
    },
    http_client::{HttpClient, OutboundRequest},
    ids::Ids,
    service::{control::Faults, metrics::EventMetrics, objects},
    store::{INTEGRATIONS, LOGS, Outbox, Store, StoreError, Transaction},
};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Messages dropped in one command, which all other writes wait for.
const DROP_BATCH_SIZE: usize = 16;
/// Bytes of messages dropped in one command, unless a single one has more.
const DROP_BATCH_BYTES: usize = 1 << 20;

/// Processes outboxes. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct OutboxWorker {
    pub(super) store: Store,
    pub(super) clock: Clock,
    ids: Ids,
    client: HttpClient,
    policy: RetryPolicy,
    metrics: EventMetrics,
    pub(super) faults: Option<Faults>,
}

/// The outboxes that need work now.
#[derive(Clone, Debug)]
pub struct DueQueues {
    /// Queues whose first message is due, or which are too long.
    pub queues: Vec<Outbox>,
    /// Whether any outbox has a message, due or not.
    pub is_waiting: bool,
    /// Why one of the outboxes cannot be read.
    pub damage: Option<StoreError>,
}

/// What to do with the first message of an outbox.
#[derive(Clone, Debug)]
pub enum NextStep {
    /// Send this request.
    Send(OutboxMessage, Arc<OutboundRequest>),
    /// Drop the message.
    Drop(CompletedAttempt),
}

impl OutboxWorker {
    /// A worker for the outboxes of `store`.
    pub fn new(
        store: Store,
        clock: Clock,
        ids: Ids,
        client: HttpClient,
        policy: RetryPolicy,
        metrics: EventMetrics,
    ) -> Self {
        Self {
            store,
            clock,
            ids,
            client,
            policy,
            metrics,
            faults: None,
        }
    }

    /// The same worker, whose requests are hit by these faults.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self {
            faults: Some(faults),
            ..self
        }
    }

    /// The outboxes that need work now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn due(&self) -> Result<DueQueues, StoreError> {
        let (queues, damage) = self.store.outboxes()?;
        let is_waiting = !queues.is_empty();
        let due = queues.into_iter().filter(|queue| {
            webhook::is_due(queue.due, self.clock.now_in(&queue.account)) || self.is_too_long(queue)
        });

        Ok(DueQueues {
            queues: due.collect(),
            is_waiting,
            damage,
        })
    }

    /// Whether an outbox exceeds `max_queued`. The fan-out queue has no limit, because its
    /// announcements must not be lost.
    pub fn is_too_long(&self, queue: &Outbox) -> bool {
        queue.waiting() > self.policy.max_queued && !queue.integration.is_fan_out()
    }

    /// Drops a batch of the oldest messages of an outbox that is too long. The next message becomes
    /// due when they were.
    ///
    /// # Errors
    /// The store failed.
    pub async fn shorten(&self, queue: &Outbox) -> Result<(), StoreError> {
        let reason = "the outbox was full (outgoing.queue), and this message was the oldest";
        self.drop_first_while(queue, reason, |worker, queue, _| worker.is_too_long(queue))
            .await
    }

    /// Drops the first messages of an outbox as long as they cannot be read. Nothing behind them
    /// could be sent otherwise.
    ///
    /// # Errors
    /// The store failed.
    pub async fn discard(&self, queue: &Outbox) -> Result<(), StoreError> {
        let reason = "the message cannot be read because the store is damaged";
        self.drop_first_while(queue, reason, |_, _, first| first.is_none())
            .await
    }

    /// Drops the first message of an outbox, and the following ones, while `is_dropped` holds, but
    /// at most one batch.
    async fn drop_first_while(
        &self,
        queue: &Outbox,
        reason: &'static str,
        is_dropped: fn(&Self, &Outbox, Option<&OutboxMessage>) -> bool,
    ) -> Result<(), StoreError> {
        let worker = self.clone();
        let now = self.clock.now_in(&queue.account);
        let (account, integration) = (queue.account.clone(), queue.integration.clone());

        self.store
            .write(move |transaction| {
                let attempt = DeliveryAttempt::Dropped(reason);
                // Read again inside the transaction: messages may have come or gone since `queue`
                // was read.
                let (mut queue, mut bytes) = (transaction.outbox(&account, &integration)?, 0_usize);
                for _ in 0..DROP_BATCH_SIZE {
                    let Some(current) = queue.filter(|_| bytes < DROP_BATCH_BYTES) else {
                        break;
                    };

                    let (first, length) = first_message(transaction, &current)?;
                    if !is_dropped(&worker, &current, first.as_ref()) {
                        break;
                    }

                    bytes = bytes.saturating_add(length);
                    let first = first.unwrap_or_else(|| unreadable_message(&current));
                    let outcome = attempt.outcome_text(&first, false);
                    try_write_log(transaction, &worker.ids, now, &first, &attempt, outcome)?;
                    // The next message has waited behind this one, so it is not made to wait again.
                    let due = current.due;
                    queue = transaction.pop_message(current, due);
                }

                Ok(())
            })
            .await
    }

    /// Whether the outcome of an attempt could be recorded. A message sent while it cannot would be
    /// sent twice.
    pub fn can_record(&self) -> bool {
        self.store.check_writable().is_ok()
    }

    /// Decides what to do with the first message of an outbox.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn next_step(&self, queue: &Outbox) -> Result<NextStep, StoreError> {
        let message: OutboxMessage = objects::decode(&self.store.next_message(queue)?)?;
        Ok(match self.build_request(&message)? {
            Ok(request) => NextStep::Send(message, Arc::new(request)),
            Err(reason) => NextStep::Drop(CompletedAttempt::dropped(message, reason)),
        })
    }

    /// Builds the request for a message, or returns the reason not to send it.
    fn build_request(
        &self,
        message: &OutboxMessage,
    ) -> Result<Result<OutboundRequest, &'static str>, StoreError> {
        let Some(record) = self
            .store
            .record(INTEGRATIONS, message.integration_id.as_str())?
        else {
            return Ok(Err("the integration was deleted"));
        };

        let Ok(integration) = objects::decode::<Integration>(&record) else {
            return Ok(Err(
                "the integration cannot be read because the store is damaged",
            ));
        };

        Ok(match &message.confirm {
            Some(_) if !integration.enabled => Err("the integration is disabled"),
            Some(url) => Ok(request::confirmation(url)),
            // The integration may have become another type since the message was queued.
            None if !integration.enabled
                || integration.integration_type.as_str() != webhook::TYPE =>
            {
                Err("the integration no longer sends webhooks")
            }
            None => {
                let secret = self.store.token_secret()?;
                let trail = self.hop_trail(message, &secret)?;
                match webhook::url(&integration) {
                    None => Err("the integration no longer has the option 'url'"),
                    Some(_) if trail.hops >= webhook::MAX_HOPS => {
                        Err("webhook loop detected (3 hops)")
                    }
                    Some(url) => Ok(request::announcement(
                        &integration,
                        url,
                        message,
                        trail.headers(&message.sid, &secret),
                        self.clock.now_in(&message.sid),
                    )),
                }
            }
        })
    }

    /// The webhooks that led to the alert of a message. Empty once the log that says so has been
    /// removed: by then a loop has had time enough to be noticed.
    fn hop_trail(&self, message: &OutboxMessage, secret: &[u8]) -> Result<HopTrail, StoreError> {
        let Some(id) = &message.log_id else {
            return Ok(HopTrail::default());
        };
        let Some(record) = self.store.record(LOGS, id.as_str())? else {
            return Ok(HopTrail::default());
        };

        Ok(objects::decode::<Log>(&record).map_or_else(
            |_| HopTrail::default(),
            |log| HopTrail::parse(&log.request.headers, &message.sid, secret),
        ))
    }

    /// Waits until the clock has been moved after the version `seen`, so that other messages may be
    /// due.
    pub(super) async fn clock_adjusted_since(&self, seen: u64) -> u64 {
        self.clock.adjusted_since(seen).await
    }

    pub(super) fn http_client(&self) -> HttpClient {
        self.client.clone()
    }

    /// Records the outcome of an attempt. Does nothing if it has been recorded before, so it can be
    /// repeated when it is unknown whether it succeeded.
    ///
    /// # Errors
    /// The store failed.
    pub async fn record(&self, completed: CompletedAttempt) -> Result<(), StoreError> {
        let now = self.clock.now_in(&completed.0.0.sid);
        let (ids, policy) = (self.ids.clone(), self.policy);
        let recorded = completed.clone();

        self.store
            .write(move |transaction| {
                let (message, attempt) = &*completed.0;
                let Some(queue) = transaction.outbox(&message.sid, &message.integration_id)? else {
                    return Ok(());
                };

                // An earlier try of this very command may have committed before its answer was
                // lost.
                let (first, _) = first_message(transaction, &queue)?;
                let is_same = |first: &OutboxMessage| {
                    (&first.message_id, first.failed) == (&message.message_id, message.failed)
                };
                let Some(first) = first.filter(is_same) else {
                    return Ok(());
                };

                record_attempt(transaction, queue, first, attempt, &ids, now, policy)
            })
            .await?;

        // Counted after the commit, since the command may run more than once.
        if let (_, DeliveryAttempt::Sent(_, outcome)) = &*recorded.0 {
            self.metrics.count_webhook(outcome);
        }

        Ok(())
    }
}

/// The first message of a queue, if it can be read, and its length in bytes.
fn first_message(
    transaction: &Transaction<'_>,
    queue: &Outbox,
) -> Result<(Option<OutboxMessage>, usize), StoreError> {
    match transaction.next_message(queue) {
        Ok(first) => Ok((objects::decode(&first).ok(), first.as_ref().len())),
        Err(damage) if damage.is_damage() => Ok((None, 0)),
        Err(other) => Err(other),
    }
}

/// Stands for a message that cannot be read in the log of its removal.
fn unreadable_message(queue: &Outbox) -> OutboxMessage {
    OutboxMessage {
        sid: queue.account.clone(),
        integration_id: queue.integration.clone(),
        alert_id: None,
        thirdparty_id: None,
        log_id: None,
        event: "unreadable".to_owned(),
        message_id: String::new(),
        failed: 0,
        since: queue.due,
        confirm: None,
        body: RawValue::NULL.to_owned(),
    }
}
