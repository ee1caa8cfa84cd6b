//! Deduplication of alerts: the latest alert for each source and third-party id.
//!
//! Third-party ids have any length, so the key is a digest.

use super::{
    StoreError, Transaction,
    trees::{self, Tree},
};
use crate::domain::ids::AccountId;
use sha2::{Digest, Sha256};

/// Identifies alerts about the same thing: account, source, and the third party's id.
#[derive(Clone, Debug)]
pub struct DedupKey(Vec<u8>);

impl DedupKey {
    /// The key for alerts of an account from a source (an integration or a user) with the third
    /// party's own id.
    pub fn new(account: &AccountId, source_id: &str, thirdparty_id: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(source_id)
            .chain_update([0])
            .chain_update(thirdparty_id)
            .finalize();
        let mut key = trees::account_prefix(account);
        key.extend_from_slice(&digest);
        Self(key)
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.0
    }
}

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
