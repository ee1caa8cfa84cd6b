//! What is to be sent to third parties: a queue for each integration, and which integrations of an
//! account send.
//!
//! The tree `queues` says of each queue in a few bytes when its first may be sent and how many
//! wait, so that of what waits only what is sent is read.

use super::{
    Store, StoreError, Transaction,
    engine::Stored,
    trees::{self, Tree},
};
use crate::domain::{
    ids::{AccountId, IntegrationId},
    timestamp::Timestamp,
};
use std::ops::Range;

/// The queue of one integration, in which something waits. Its numbers begin anew when it was
/// empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    /// Whose integration.
    pub account: AccountId,
    /// Which.
    pub integration: IntegrationId,
    /// Its first is not to be sent before.
    pub due: Timestamp,
    /// The number of its first.
    first: u64,
    /// The number of what is next put into it.
    next: u64,
}

impl Outbox {
    /// One in which nothing has been put yet.
    pub fn new(account: AccountId, integration: IntegrationId, due: Timestamp) -> Self {
        Self {
            account,
            integration,
            due,
            first: 0,
            next: 0,
        }
    }

    /// How many wait in it.
    pub fn waiting(&self) -> u64 {
        self.next.saturating_sub(self.first)
    }

    /// The numbers of what waits in it.
    pub(super) fn numbers(&self) -> Range<u64> {
        self.first..self.next
    }

    /// Three big-endian numbers of eight bytes: when it is due, its first, its next.
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

        decoded.ok_or_else(|| StoreError::damaged("a queue of what is to be sent makes no sense"))
    }

    fn key(&self) -> Vec<u8> {
        trees::sender_key(&self.account, &self.integration)
    }

    fn first_key(&self) -> Vec<u8> {
        delivery_key(&self.account, &self.integration, self.first)
    }
}

impl Transaction<'_> {
    /// Puts something at the end of an integration's queue, to be sent when what is before it is
    /// done with.
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
            // Otherwise nothing could happen to the account's alerts any more.
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
        queue.next = queue.next.saturating_add(1);
        self.put(Tree::Queues, queue.key(), queue.encode());

        Ok(())
    }

    /// What a queue must be of which only what waits in it can be read.
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

    /// An integration's queue, if something waits in it.
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

    /// The first of a queue.
    ///
    /// # Errors
    /// The store cannot be read, or missing_message it.
    pub fn next_message(&self, queue: &Outbox) -> Result<Stored, StoreError> {
        self.get(Tree::Deliveries, &queue.first_key())?
            .ok_or_else(missing_message)
    }

    /// Takes the first out of a queue, so that the second is due then. Returns what is left, if
    /// anything is.
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

    /// Keeps the first of a queue, as it is now, for another time, and with it all that is behind.
    pub fn postpone(&mut self, queue: Outbox, due: Timestamp, first: Stored) {
        self.put(Tree::Deliveries, queue.first_key(), first);
        let queue = Outbox { due, ..queue };
        self.put(Tree::Queues, queue.key(), queue.encode());
    }

    /// The account's integrations that send.
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

    /// Notes whether an integration sends.
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
        let is_known = self.get(Tree::SendersByAccount, &key)?.is_some();
        match (is_known, sends) {
            (false, true) => self.put(Tree::SendersByAccount, key, Vec::new().into()),
            (true, false) => self.remove(Tree::SendersByAccount, key),
            _ => {}
        }
        Ok(())
    }
}

/// So many queues are read at once.
const SCAN_CHUNK: usize = 256;

impl Store {
    /// All queues in which something waits, and what is wrong with one that cannot be read, which
    /// keeps no other.
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

    /// The first of a queue.
    ///
    /// # Errors
    /// The store cannot be read, or missing_message it.
    pub fn next_message(&self, queue: &Outbox) -> Result<Stored, StoreError> {
        self.snapshot()?
            .get(Tree::Deliveries, &queue.first_key())?
            .ok_or_else(missing_message)
    }
}

fn missing_message() -> StoreError {
    StoreError::damaged("what is first in a queue of what is to be sent does not exist")
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

/// The integration and the number of a key in `deliveries`.
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
    fn queues_and_what_is_in_them_survive_their_encoding() {
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
