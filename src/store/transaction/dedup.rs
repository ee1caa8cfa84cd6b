//! Deduplication of alerts: the latest alert with each key.

use super::Transaction;
use crate::store::{DedupKey, StoreError, trees::Tree};

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
}
