//! Fan-out of an event to many integrations, or of a large one.
//!
//! The commit of the event enqueues the announcement once, in the account's fan-out queue. Later,
//! small commands copy it into the outbox of each integration. Meanwhile, all other events of the
//! account take the same way, so that each integration gets them in order. If the server is killed
//! in between, the fan-out starts over and some integrations get the event twice, as can happen
//! with any webhook.

use super::{
    outbox::{enqueue, message_id},
    worker::OutboxWorker,
};
use crate::{
    domain::{
        ids::IntegrationId,
        integration::Integration,
        webhook::{self, AlertEvent, OutboxMessage},
    },
    service::{blocking, objects},
    store::{INTEGRATIONS, Outbox, StoreError, Stored, Transaction},
};
use std::sync::Arc;

/// Bytes that one command may read and write.
const BATCH_BYTES: usize = 512 << 10;

/// The records of the senders, if reading them and writing to each of them is little enough for
/// this commit.
pub(super) fn records_if_few(
    transaction: &Transaction<'_>,
    announcement: &OutboxMessage,
    senders: &[IntegrationId],
) -> Result<Option<Vec<Stored>>, StoreError> {
    match transaction.outbox(&announcement.sid, &announcement.integration_id) {
        Ok(None) => {}
        // A fan-out is under way, and this event must not overtake it.
        Ok(Some(_)) => return Ok(None),
        // Enqueueing the announcement repairs the queue.
        Err(damage) if damage.is_damage() => return Ok(None),
        Err(other) => return Err(other),
    }

    let (mut records, mut bytes) = (Vec::new(), 0_usize);
    for id in senders {
        let Some(record) = transaction.record(INTEGRATIONS, id.as_str())? else {
            continue;
        };

        bytes = bytes
            .saturating_add(record.as_ref().len())
            .saturating_add(announcement.body.get().len());
        // For a single sender, enqueueing the announcement would write as much.
        if bytes > BATCH_BYTES && senders.len() > 1 {
            return Ok(None);
        }
        records.push(record);
    }

    Ok(Some(records))
}

/// The id of the integration, if it wants to hear of the event. Skips an integration that cannot be
/// read, so that the others still get the event.
pub(super) fn listener(record: &Stored, event: AlertEvent) -> Option<IntegrationId> {
    let integration: Integration = match objects::decode(record) {
        Ok(integration) => integration,
        Err(cause) => {
            log::warn!(
                cause:display;
                "Skipped an outgoing webhook: its integration cannot be read"
            );
            return None;
        }
    };

    let listens = integration.enabled
        && webhook::is_subscribed(&integration, event)
        && webhook::url(&integration).is_some();
    listens.then_some(integration.id)
}

/// The announcement, addressed to this integration.
pub(super) fn address(
    announcement: &OutboxMessage,
    integration_id: IntegrationId,
) -> OutboxMessage {
    let subject = announcement.alert_id.as_ref().map_or("", |id| id.as_str());
    let message_id = message_id(subject, announcement.since, &integration_id);
    OutboxMessage {
        integration_id,
        message_id,
        ..announcement.clone()
    }
}

impl OutboxWorker {
    /// Copies the first announcement of a fan-out queue into the outbox of each integration that
    /// wants to hear of it.
    ///
    /// # Errors
    /// The store failed. Integrations that have the announcement already may get it again.
    pub async fn fan_out(&self, queue: &Outbox) -> Result<(), StoreError> {
        let announcement: OutboxMessage = match self
            .store
            .next_message(queue)
            .and_then(|first| objects::decode(&first))
        {
            Err(damage) if damage.is_damage() => return self.discard(queue).await,
            outcome => outcome?,
        };

        let announcement = Arc::new(announcement);
        let listeners = self.listeners(&announcement).await?;
        let batch_size = (BATCH_BYTES / announcement.body.get().len().max(1)).max(1);

        for batch in listeners.chunks(batch_size) {
            let (batch, announcement) = (batch.to_vec(), Arc::clone(&announcement));
            let queue = queue.clone();
            let written = self.store.write(move |transaction| {
                // A reset of the account may have come in between.
                if first_of(transaction, &queue, &announcement)?.is_none() {
                    return Ok(());
                }
                batch
                    .into_iter()
                    .try_for_each(|id| enqueue(transaction, &address(&announcement, id)))
            });
            written.await?;
        }

        let (queue, now) = (queue.clone(), self.clock.now_in(&queue.account));
        self.store
            .write(move |transaction| {
                if let Some(queue) = first_of(transaction, &queue, &announcement)? {
                    transaction.pop_message(queue, now);
                }

                Ok(())
            })
            .await
    }

    async fn listeners(
        &self,
        announcement: &OutboxMessage,
    ) -> Result<Vec<IntegrationId>, StoreError> {
        let account = announcement.sid.clone();
        let senders = self
            .store
            .write(move |transaction| transaction.senders(&account))
            .await?;
        let Some(event) = AlertEvent::parse(&announcement.event) else {
            return Ok(Vec::new());
        };

        let store = self.store.clone();
        // There may be many senders, with large options.
        blocking::run_blocking(move || {
            let records = senders
                .into_iter()
                .map(|id| store.record(INTEGRATIONS, id.as_str()));
            let listeners = records.filter_map(|record| {
                let record = record.transpose()?;
                record.map(|record| listener(&record, event)).transpose()
            });
            listeners.collect()
        })
        .await?
    }
}

/// The fan-out queue as it is now, if this announcement is still its first message.
fn first_of(
    transaction: &Transaction<'_>,
    queue: &Outbox,
    announcement: &OutboxMessage,
) -> Result<Option<Outbox>, StoreError> {
    let Some(queue) = transaction.outbox(&queue.account, &queue.integration)? else {
        return Ok(None);
    };
    let first: OutboxMessage = objects::decode(&transaction.next_message(&queue)?)?;
    Ok((first.message_id == announcement.message_id).then_some(queue))
}
