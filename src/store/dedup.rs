//! The key under which alerts are deduplicated: the latest alert for each source and third-party id.
//!
//! Third-party ids have any length, so the key is a digest.

use super::trees;
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
