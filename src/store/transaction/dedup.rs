//! Deduplication of alerts: the latest alert with each key.

use super::Transaction;
use crate::{
    domain::ids::AccountId,
    store::{DedupKey, StoreError, dedup, trees, trees::Tree},
};

impl Transaction<'_> {
    /// The id of the latest alert with this key.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn latest_alert(&self, dedup_key: &DedupKey) -> Result<Option<String>, StoreError> {
        let found = self.get(Tree::AlertsByThirdparty, dedup_key.key())?;
        Ok(found.map(|id| String::from_utf8_lossy(id.as_ref()).into_owned()))
    }

    /// Makes an alert the latest with this key.
    pub fn set_latest_alert(&mut self, dedup_key: &DedupKey, alert_id: &str) {
        self.put(
            Tree::AlertsByThirdparty,
            dedup_key.key().to_vec(),
            alert_id.as_bytes().to_vec().into(),
        );
    }

    /// Removes the entry if it points to this alert. Call before deleting the alert.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn clear_latest_alert(
        &mut self,
        dedup_key: &DedupKey,
        alert_id: &str,
    ) -> Result<(), StoreError> {
        if self.latest_alert(dedup_key)?.as_deref() == Some(alert_id) {
            self.remove(Tree::AlertsByThirdparty, dedup_key.key().to_vec());
        }
        Ok(())
    }

    /// Makes an alert the latest of a thread, and lists the thread among those of the alert.
    pub fn join_thread(&mut self, account: &AccountId, thread: &DedupKey, alert_id: &str) {
        self.set_latest_alert(thread, alert_id);
        self.put(
            Tree::AlertsByThirdparty,
            dedup::threads_key(account, alert_id, thread),
            alert_id.as_bytes().to_vec().into(),
        );
    }

    /// Removes the entries of an alert's threads. Call before deleting the alert.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn leave_threads(&mut self, account: &AccountId, alert_id: &str) -> Result<(), StoreError> {
        let prefix = dedup::threads_prefix(account, alert_id);
        for listed in self.keys_below(Tree::AlertsByThirdparty, &prefix)? {
            let mut thread = trees::account_prefix(account);
            thread.extend_from_slice(listed.get(prefix.len()..).unwrap_or_default());
            let latest = self.get(Tree::AlertsByThirdparty, &thread)?;
            if latest.is_some_and(|latest| latest.as_ref() == alert_id.as_bytes()) {
                self.remove(Tree::AlertsByThirdparty, thread);
            }
            self.remove(Tree::AlertsByThirdparty, listed);
        }
        Ok(())
    }
}
