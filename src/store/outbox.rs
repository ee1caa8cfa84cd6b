//! The transactional outbox: webhook messages wait here, in one FIFO queue per integration, and are
//! written in the same commit as the alert change that caused them.
//!
//! The tree `queues` holds a few bytes per outbox: when its first message is due and how many
//! messages wait. The message itself is read only when it is about to be sent.

use super::{
    Store, StoreError, Transaction,
    entries::Stored,
    trees::{self, Tree},
};
use crate::domain::{
    ids::{AccountId, IntegrationId},
    timestamp::Timestamp,
};
use std::ops::Range;

/// The pending messages of one integration. An outbox exists only while it holds a message; the
/// sequence numbers restart from 0 when it has been empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    /// The account of the integration.
    pub account: AccountId,
    /// The integration that sends.
    pub integration: IntegrationId,
    /// When the first message may be sent.
    pub due: Timestamp,
    /// Sequence number of the first message.
    first: u64,
    /// Sequence number of the next message to be added.
    next: u64,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(account: AccountId, integration: IntegrationId, due: Timestamp) -> Self {
        Self {
            account,
            integration,
            due,
            first: 0,
            next: 0,
        }
    }

    /// The number of messages.
    pub fn waiting(&self) -> u64 {
        self.next.saturating_sub(self.first)
    }

    /// The sequence numbers of all messages.
    pub(super) fn numbers(&self) -> Range<u64> {
        self.first..self.next
    }

    /// `due`, `first` and `next`, each as eight big-endian bytes.
    fn encode(&self) -> Stored {
        [
            self.due.millis().to_be_bytes(),
            self.first.to_be_bytes(),
            self.next.to_be_bytes(),
        ]
        .concat()
        .into()
    }

    pub(super) fn decode(key: &[u8], value: &[u8]) -> Result<Self, StoreError> {
        let decoded = split_name(key).and_then(|(account, integration)| {
            let (due, rest) = value.split_first_chunk()?;
            let (first, next) = rest.split_first_chunk()?;
            Some(Self {
                account,
                integration,
                due: Timestamp::from_millis(i64::from_be_bytes(*due))?,
                first: u64::from_be_bytes(*first),
                next: u64::from_be_bytes(next.try_into().ok()?),
            })
        });

        decoded.ok_or_else(|| StoreError::damaged("an outbox entry cannot be decoded"))
    }

    fn key(&self) -> Vec<u8> {
        trees::sender_key(&self.account, &self.integration)
    }

    fn first_key(&self) -> Vec<u8> {
        delivery_key(&self.account, &self.integration, self.first)
    }
}

impl Transaction<'_> {
    /// Appends a message to an integration's outbox.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn enqueue(
        &mut self,
        account: &AccountId,
        integration: &IntegrationId,
        now: Timestamp,
        content: Stored,
    ) -> Result<(), StoreError> {
        let queue = match self.outbox(account, integration) {
            // Failing here would block every change of the account's alerts.
            Err(damage) if damage.is_damage() => {
                Some(self.rebuild_outbox(account, integration, now)?)
            }
            outcome => outcome?,
        };

        let mut queue =
            queue.unwrap_or_else(|| Outbox::new(account.clone(), integration.clone(), now));
        self.put(
            Tree::Deliveries,
            delivery_key(account, integration, queue.next),
            content,
        );
        // The message and the number after it are in one commit, so no number is ever without a
        // message.
        queue.next = queue.next.saturating_add(1);
        self.put(Tree::Queues, queue.key(), queue.encode());

        Ok(())
    }

    /// Reconstructs an outbox whose entry in `queues` is damaged from the messages that exist.
    fn rebuild_outbox(
        &self,
        account: &AccountId,
        integration: &IntegrationId,
        now: Timestamp,
    ) -> Result<Outbox, StoreError> {
        let mut prefix = trees::sender_key(account, integration);
        prefix.push(0);
        let keys = self.keys_below(Tree::Deliveries, &prefix)?;
        let mut numbers = keys
            .iter()
            .filter_map(|key| split_delivery_key(key))
            .map(|(_, _, number)| number);
        let first = numbers.next().unwrap_or_default();
        let next = numbers
            .next_back()
            .unwrap_or(first)
            .saturating_add(u64::from(!keys.is_empty()));

        Ok(Outbox {
            first,
            next,
            ..Outbox::new(account.clone(), integration.clone(), now)
        })
    }

    /// An integration's outbox, if it holds a message.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn outbox(
        &self,
        account: &AccountId,
        integration: &IntegrationId,
    ) -> Result<Option<Outbox>, StoreError> {
        let key = trees::sender_key(account, integration);
        self.get(Tree::Queues, &key)?
            .map(|value| Outbox::decode(&key, value.as_ref()))
            .transpose()
    }

    /// The first message of an outbox.
    ///
    /// # Errors
    /// The store cannot be read, or the message is missing.
    pub fn next_message(&self, queue: &Outbox) -> Result<Stored, StoreError> {
        self.get(Tree::Deliveries, &queue.first_key())?
            .ok_or_else(missing_message)
    }

    /// Removes the first message; the next one is due at `due`. Returns the outbox if messages are
    /// left.
    pub fn pop_message(&mut self, queue: Outbox, due: Timestamp) -> Option<Outbox> {
        self.remove(Tree::Deliveries, queue.first_key());
        let left = Outbox {
            first: queue.first.saturating_add(1),
            due,
            ..queue
        };

        if left.waiting() == 0 {
            self.remove(Tree::Queues, left.key());
            return None;
        }

        self.put(Tree::Queues, left.key(), left.encode());
        Some(left)
    }

    /// Replaces the first message and makes it due at `due`. Messages behind it wait too.
    pub fn postpone(&mut self, queue: Outbox, due: Timestamp, first: Stored) {
        self.put(Tree::Deliveries, queue.first_key(), first);
        let queue = Outbox { due, ..queue };
        self.put(Tree::Queues, queue.key(), queue.encode());
    }

    /// The account's integrations of type webhook.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn senders(&self, account: &AccountId) -> Result<Vec<IntegrationId>, StoreError> {
        let prefix = trees::account_prefix(account);
        let keys = self.keys_below(Tree::SendersByAccount, &prefix)?;
        let ids = keys
            .iter()
            .filter_map(|key| std::str::from_utf8(key.get(prefix.len()..)?).ok());
        Ok(ids.filter_map(|id| IntegrationId::parse(id).ok()).collect())
    }

    /// Records whether an integration sends webhooks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn set_sender(
        &mut self,
        account: &AccountId,
        id: &IntegrationId,
        sends: bool,
    ) -> Result<(), StoreError> {
        let key = trees::sender_key(account, id);
        // Most integrations do not send. Unchanged entries would make every commit larger.
        let is_known = self.get(Tree::SendersByAccount, &key)?.is_some();
        match (is_known, sends) {
            (false, true) => self.put(Tree::SendersByAccount, key, Vec::new().into()),
            (true, false) => self.remove(Tree::SendersByAccount, key),
            _ => {}
        }
        Ok(())
    }
}

/// Outboxes read from the engine at a time.
const SCAN_CHUNK: usize = 256;

impl Store {
    /// All outboxes, and the last error met while decoding one. A damaged entry does not hide the
    /// others.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn outboxes(&self) -> Result<(Vec<Outbox>, Option<StoreError>), StoreError> {
        let snapshot = self.snapshot()?;
        let (mut queues, mut damage) = (Vec::new(), None);
        for entry in snapshot.scan_all(Tree::Queues, SCAN_CHUNK) {
            let (key, value) = entry?;
            match Outbox::decode(&key, value.as_ref()) {
                Ok(queue) => queues.push(queue),
                Err(damaged) => damage = Some(damaged),
            }
        }
        Ok((queues, damage))
    }

    /// The first message of an outbox.
    ///
    /// # Errors
    /// The store cannot be read, or the message is missing.
    pub fn next_message(&self, queue: &Outbox) -> Result<Stored, StoreError> {
        self.snapshot()?
            .get(Tree::Deliveries, &queue.first_key())?
            .ok_or_else(missing_message)
    }
}

fn missing_message() -> StoreError {
    StoreError::damaged("the first message of an outbox does not exist")
}

pub(super) fn delivery_key(
    account: &AccountId,
    integration: &IntegrationId,
    number: u64,
) -> Vec<u8> {
    let mut key = trees::sender_key(account, integration);
    key.push(0);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// The account, integration and sequence number of a key in `deliveries`.
pub(super) fn split_delivery_key(key: &[u8]) -> Option<(AccountId, IntegrationId, u64)> {
    let (name, number) = key.split_last_chunk()?;
    let (account, integration) = split_name(name.strip_suffix(&[0])?)?;
    Some((account, integration, u64::from_be_bytes(*number)))
}

fn split_name(key: &[u8]) -> Option<(AccountId, IntegrationId)> {
    let (account, integration) = std::str::from_utf8(key).ok()?.split_once('\0')?;
    Some((
        AccountId::parse(account).ok()?,
        IntegrationId::parse(integration).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outboxes_and_message_keys_survive_their_encoding() {
        let queue = Outbox {
            account: AccountId::parse("acc_a").unwrap(),
            integration: IntegrationId::parse("int_0123456789abcd").unwrap(),
            due: Timestamp::from_millis(1_700_000_000_000).unwrap(),
            first: 7,
            next: 300,
        };

        assert_eq!(
            Outbox::decode(&queue.key(), queue.encode().as_ref()).unwrap(),
            queue
        );

        let (account, integration) = (queue.account.clone(), queue.integration.clone());
        assert_eq!(
            split_delivery_key(&queue.first_key()),
            Some((account, integration, 7))
        );
        assert!(Outbox::decode(&queue.first_key(), queue.encode().as_ref()).is_err());
        assert!(Outbox::decode(&queue.key(), b"short").is_err());
        assert_eq!(split_delivery_key(b"early"), None);
    }
}
