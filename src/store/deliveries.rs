//! What is to be sent to third parties: a queue in the order of time, and which integrations of an account send.

use super::{
    Store, StoreError, Transaction,
    engine::Stored,
    trees::{self, Tree},
};
use crate::domain::{
    ids::{AccountId, IntegrationId},
    timestamp::Timestamp,
};

/// Something in the queue.
#[derive(Clone, Debug)]
pub struct Queued {
    /// When it is due.
    pub due: Timestamp,
    /// Its own name in the queue.
    pub name: String,
    /// Itself.
    pub content: Stored,
}

impl Transaction<'_> {
    /// Puts something into the queue.
    pub fn enqueue(&mut self, queued: Queued) {
        self.put(Tree::Deliveries, key(queued.due, &queued.name), queued.content);
    }

    /// Takes something out of the queue. `false` if it was not there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn dequeue(&mut self, due: Timestamp, name: &str) -> Result<bool, StoreError> {
        let key = key(due, name);
        let is_there = self.get(Tree::Deliveries, &key)?.is_some();
        if is_there {
            self.remove(Tree::Deliveries, key);
        }
        Ok(is_there)
    }

    /// The account's integrations that send.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn senders(&self, account: &AccountId) -> Result<Vec<IntegrationId>, StoreError> {
        let prefix = trees::account_prefix(account);
        let keys = self.keys_below(Tree::SendersByAccount, &prefix)?;
        let ids = keys.iter().filter_map(|key| std::str::from_utf8(key.get(prefix.len()..)?).ok());
        Ok(ids.filter_map(|id| IntegrationId::parse(id).ok()).collect())
    }

    /// Notes whether an integration sends.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn set_sender(&mut self, account: &AccountId, id: &IntegrationId, sends: bool) -> Result<(), StoreError> {
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

impl Store {
    /// The first of the queue, at most so many, in the order in which they are due.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn queued(&self, most: usize) -> Result<Vec<Queued>, StoreError> {
        let snapshot = self.snapshot()?;
        let entries = snapshot.scan_all(Tree::Deliveries, most);
        entries.take(most).map(|entry| entry.and_then(|(key, content)| queued(&key, content))).collect()
    }
}

fn key(due: Timestamp, name: &str) -> Vec<u8> {
    [&due.millis().to_be_bytes(), name.as_bytes()].concat()
}

pub(super) fn queued(key: &[u8], content: Stored) -> Result<Queued, StoreError> {
    let split = key.split_first_chunk().and_then(|(due, name)| {
        let due = Timestamp::from_millis(i64::from_be_bytes(*due))?;
        Some(Queued { due, name: String::from_utf8(name.to_vec()).ok()?, content })
    });
    split.ok_or_else(|| StoreError::damaged("the time of something to be sent makes no sense"))
}
