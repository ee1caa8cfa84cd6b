//! Telling many of an event, or much: in the commit in which it happens it is put down once, and
//! brought into the queue of each integration afterwards, in commands that are short each.
//!
//! Until that is done, whatever else happens in the account goes the same way, so that everybody
//! hears of events in their order. If the server is killed in between, it begins anew, and some are
//! told twice, as may happen with any webhook.

use super::{
    super::{objects, readers},
    enqueue, message_id,
    sending::Outgoing,
};
use crate::{
    domain::{
        ids::IntegrationId,
        integration::Integration,
        webhook::{self, AlertEvent, OutboxMessage},
    },
    store::{INTEGRATIONS, Outbox, StoreError, Stored, Transaction},
};
use std::sync::Arc;

/// Bytes that one command may read and write to tell of an event.
const AT_ONCE: usize = 512 << 10;

/// The integrations among which to look for listeners, if it is little to do so here and now.
pub(super) fn few(
    transaction: &Transaction<'_>,
    announcement: &OutboxMessage,
    senders: &[IntegrationId],
) -> Result<Option<Vec<Stored>>, StoreError> {
    match transaction.outbox(&announcement.sid, &announcement.integration_id) {
        Ok(None) => {}
        Ok(Some(_)) => return Ok(None),
        // It is mended where the announcement is put into it.
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
        // One listener gets it in any case, since whoever puts it down here writes as much.
        if bytes > AT_ONCE && senders.len() > 1 {
            return Ok(None);
        }
        records.push(record);
    }

    Ok(Some(records))
}

/// The integration, if it wants to hear of the event. One that cannot be read, which is for `check`
/// to name, keeps nobody else from it.
pub(super) fn listener(record: &Stored, event: AlertEvent) -> Option<IntegrationId> {
    let integration: Integration = match objects::decode(record) {
        Ok(integration) => integration,
        Err(cause) => {
            log::warn!(cause:display; "Skipped an outgoing webhook: its integration cannot be read");
            return None;
        }
    };
    let listens = integration.enabled
        && webhook::is_wanted(&integration, event)
        && webhook::url(&integration).is_some();
    listens.then_some(integration.id)
}

/// The announcement to this integration.
pub(super) fn addressed(
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

impl Outgoing {
    /// Brings the first of what waits there into the queue of each integration that wants to hear
    /// of it.
    ///
    /// # Errors
    /// The store failed. What was brought already may be brought again.
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
        let at_once = (AT_ONCE / announcement.body.get().len().max(1)).max(1);

        for some in listeners.chunks(at_once) {
            let (some, announcement) = (some.to_vec(), Arc::clone(&announcement));
            let told = self.store.write(move |transaction| {
                some.into_iter()
                    .try_for_each(|id| enqueue(transaction, &addressed(&announcement, id)))
            });
            told.await?;
        }

        let (queue, now) = (queue.clone(), self.clock.now());
        self.store
            .write(move |transaction| {
                let Some(queue) = transaction.outbox(&queue.account, &queue.integration)? else {
                    return Ok(());
                };
                let first: OutboxMessage = objects::decode(&transaction.next_message(&queue)?)?;
                if first.message_id == announcement.message_id {
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
        let Some(event) = AlertEvent::named(&announcement.event) else {
            return Ok(Vec::new());
        };

        let store = self.store.clone();
        // Their options may be large, and there may be many.
        readers::elsewhere(move || {
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
