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

    /// The key for alerts of mail messages in one thread: that of a message that they are or refer
    /// to.
    pub fn in_thread(account: &AccountId, source_id: &str, message_id: &str) -> Self {
        let Self(mut key) = Self::new(account, source_id, message_id);
        key.push(THREAD);
        Self(key)
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.0
    }
}

/// Ends the keys of threads, which are so one byte longer than other ones.
const THREAD: u8 = 1;

/// The prefix of the keys that list the threads of an alert: its id and 0x00.
pub(super) fn threads_prefix(account: &AccountId, alert_id: &str) -> Vec<u8> {
    let mut prefix = trees::account_prefix(account);
    prefix.extend_from_slice(alert_id.as_bytes());
    prefix.push(0);
    prefix
}

/// The key that lists the thread under `key` among those of an alert.
pub(super) fn threads_key(account: &AccountId, alert_id: &str, key: &DedupKey) -> Vec<u8> {
    let own = trees::account_prefix(account).len();
    let mut listed = threads_prefix(account, alert_id);
    listed.extend_from_slice(key.0.get(own..).unwrap_or_default());
    listed
}

/// Whether an entry is about threads: a thread or the list of one. Other keys are digests.
pub(super) fn is_about_threads(key: &[u8]) -> bool {
    let own = key.iter().position(|byte| *byte == 0);
    let rest = own.and_then(|end| key.get(end.saturating_add(1)..));
    rest.is_some_and(|rest| rest.len() > Sha256::output_size())
}
