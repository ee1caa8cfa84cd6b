//! Which alert is the newest of a source and a third-party id.
//!
//! Third-party ids are of any length, so their digest is the key.

use super::{
    StoreError, Transaction,
    trees::{self, Tree},
};
use crate::domain::ids::AccountId;
use sha2::{Digest, Sha256};

/// What two alerts have in common that are about the same thing.
#[derive(Clone, Debug)]
pub struct DedupKey(Vec<u8>);

impl DedupKey {
    /// Of an account, the integration or user that alerts come from, and the third party's own id.
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
    /// The id of the newest alert about this.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn latest_alert(&self, dedup_key: &DedupKey) -> Result<Option<String>, StoreError> {
        let found = self.get(Tree::AlertsByThirdparty, dedup_key.key())?;
        Ok(found.map(|id| String::from_utf8_lossy(id.as_ref()).into_owned()))
    }

    /// Notes the newest alert about this.
    pub fn set_latest_alert(&mut self, dedup_key: &DedupKey, alert_id: &str) {
        self.put(
            Tree::AlertsByThirdparty,
            dedup_key.key().to_vec(),
            alert_id.as_bytes().to_vec().into(),
        );
    }

    /// Forgets the alert, if it is the newest about this: it is about to be deleted.
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
