//! Answers that are kept for a day under the client's own key, in the same commit as what they answer.
//!
//! A second tree holds the same keys by time, so that old ones are found without a search: each new answer takes two
//! old ones away, if they are due.

use super::{
    StoreError, Transaction,
    engine::Stored,
    trees::{self, Tree},
};
use crate::domain::{
    idempotency::{Attempt, IdempotencyKey, REMEMBERED_FOR},
    ids::AccountId,
    timestamp::Timestamp,
};

/// What was answered to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When, in milliseconds.
    pub(super) at: i64,
    /// The digest of what was asked.
    pub fingerprint: [u8; 32],
    /// The answer.
    pub record: Stored,
}

/// Old answers taken away with each new one; more than one, so that they cannot pile up.
const FORGET_AT_ONCE: usize = 2;

impl Answered {
    /// Time as big-endian i64, digest, answer.
    fn encode(&self) -> Stored {
        [&self.at.to_be_bytes(), &self.fingerprint[..], self.record.as_ref()].concat().into()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let decoded = bytes.split_at_checked(8).and_then(|(at, rest)| {
            let (fingerprint, record) = rest.split_at_checked(32)?;
            Some(Self {
                at: i64::from_be_bytes(at.try_into().ok()?),
                fingerprint: fingerprint.try_into().ok()?,
                record: record.to_vec().into(),
            })
        });
        decoded.ok_or_else(|| StoreError::damaged("a remembered answer is too short"))
    }
}

impl Transaction<'_> {
    /// What was answered to this key less than a day ago.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn answered(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Answered>, StoreError> {
        let found = self.get(Tree::Idempotency, &address(account, key))?;
        let answered = found.map(|found| Answered::decode(found.as_ref())).transpose()?;
        Ok(answered.filter(|answered| !is_due(answered.at, now)))
    }

    /// Keeps an answer for a day.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn remember_answer(
        &mut self,
        account: &AccountId,
        attempt: &Attempt,
        now: Timestamp,
        record: Stored,
    ) -> Result<(), StoreError> {
        self.forget_old_answers(now)?;
        let address = address(account, &attempt.key);
        if let Some(previous) = self.get(Tree::Idempotency, &address)? {
            let previous = Answered::decode(previous.as_ref())?;
            self.remove(Tree::IdempotencyByTime, by_time(previous.at, &address));
        }
        let answered = Answered { at: now.millis(), fingerprint: attempt.fingerprint, record };
        self.put(Tree::IdempotencyByTime, by_time(answered.at, &address), Vec::new().into());
        self.put(Tree::Idempotency, address, answered.encode());
        Ok(())
    }

    fn forget_old_answers(&mut self, now: Timestamp) -> Result<(), StoreError> {
        for key in self.first_keys(Tree::IdempotencyByTime, FORGET_AT_ONCE)? {
            let (at, address) = split_by_time(&key)?;
            if !is_due(at, now) {
                break;
            }
            let current = self.get(Tree::Idempotency, address)?.map(|found| Answered::decode(found.as_ref()));
            if current.transpose()?.is_some_and(|answered| answered.at == at) {
                self.remove(Tree::Idempotency, address.to_vec());
            }
            self.remove(Tree::IdempotencyByTime, key);
        }
        Ok(())
    }
}

fn is_due(at: i64, now: Timestamp) -> bool {
    now.millis().saturating_sub(at) >= REMEMBERED_FOR
}

fn address(account: &AccountId, key: &IdempotencyKey) -> Vec<u8> {
    let mut address = trees::account_prefix(account);
    address.extend_from_slice(key.as_str().as_bytes());
    address
}

/// Times before 1970 would sort last; they only come from a clock that is wrong by half a century.
pub(super) fn by_time(at: i64, address: &[u8]) -> Vec<u8> {
    [&at.to_be_bytes(), address].concat()
}

pub(super) fn split_by_time(key: &[u8]) -> Result<(i64, &[u8]), StoreError> {
    let split =
        key.split_at_checked(8).and_then(|(at, address)| Some((i64::from_be_bytes(at.try_into().ok()?), address)));
    split.ok_or_else(|| StoreError::damaged("the time of a remembered answer is too short"))
}
