//! Answers that are kept for a day under the client's own key, in the same commit as what they
//! answer.
//!
//! A second tree holds the same keys by time, so that old ones are found without a search: each new
//! answer takes two old ones away, if they are due.

use super::{
    StoreError, Transaction,
    engine::Stored,
    trees::{self, Tree},
};
use crate::domain::{
    idempotency::{IdempotencyKey, IdempotentRequest, REPLAY_WINDOW_MS},
    ids::AccountId,
    timestamp::Timestamp,
};

/// What was record to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// When, in milliseconds.
    pub(super) at: i64,
    /// The digest of what was asked.
    pub fingerprint: [u8; 32],
    /// The answer.
    pub record: Stored,
}

/// Old answers taken away with each new one; more than one, so that they cannot pile up.
const EXPIRED_PER_INSERT: usize = 2;

impl IdempotencyRecord {
    /// Time as big-endian i64, digest, answer.
    fn encode(&self) -> Stored {
        [
            &self.at.to_be_bytes(),
            &self.fingerprint[..],
            self.record.as_ref(),
        ]
        .concat()
        .into()
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
    /// What was record to this key less than a day ago.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn idempotency_record(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let found = self.get(Tree::Idempotency, &record_key(account, key))?;
        let record = found
            .map(|found| IdempotencyRecord::decode(found.as_ref()))
            .transpose()?;
        Ok(record.filter(|record| !is_expired(record.at, now)))
    }

    /// Keeps an answer for a day.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn put_idempotency_record(
        &mut self,
        account: &AccountId,
        attempt: &IdempotentRequest,
        now: Timestamp,
        record: Stored,
    ) -> Result<(), StoreError> {
        self.expire_idempotency_records(now, EXPIRED_PER_INSERT)?;
        let record_key = record_key(account, &attempt.key);
        if let Some(previous) = self.get(Tree::Idempotency, &record_key)? {
            let previous = IdempotencyRecord::decode(previous.as_ref())?;
            self.remove(Tree::IdempotencyByTime, time_key(previous.at, &record_key));
        }

        let record = IdempotencyRecord {
            at: now.millis(),
            fingerprint: attempt.fingerprint,
            record,
        };

        self.put(
            Tree::IdempotencyByTime,
            time_key(record.at, &record_key),
            Vec::new().into(),
        );
        self.put(Tree::Idempotency, record_key, record.encode());

        Ok(())
    }

    /// Removes the oldest answers that are due, at most this many. Returns how many there were.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn expire_idempotency_records(
        &mut self,
        now: Timestamp,
        most: usize,
    ) -> Result<usize, StoreError> {
        let mut expired = 0_usize;
        for key in self.first_keys(Tree::IdempotencyByTime, most)? {
            // An entry that cannot be read is removed like an old one: it must not keep those
            // behind it for ever.
            if let Ok((at, record_key)) = split_time_key(&key) {
                if !is_expired(at, now) {
                    break;
                }
                let current = self.get(Tree::Idempotency, record_key)?;
                let is_newer = |found: Stored| {
                    IdempotencyRecord::decode(found.as_ref()).is_ok_and(|record| record.at != at)
                };
                if current.is_some_and(|found| !is_newer(found)) {
                    self.remove(Tree::Idempotency, record_key.to_vec());
                }
            }

            self.remove(Tree::IdempotencyByTime, key);
            expired = expired.saturating_add(1);
        }

        Ok(expired)
    }
}

fn is_expired(at: i64, now: Timestamp) -> bool {
    now.millis().saturating_sub(at) >= REPLAY_WINDOW_MS
}

fn record_key(account: &AccountId, key: &IdempotencyKey) -> Vec<u8> {
    let mut record_key = trees::account_prefix(account);
    record_key.extend_from_slice(key.as_str().as_bytes());
    record_key
}

/// Times before 1970 would sort last; they only come from a clock that is wrong by half a century.
pub(super) fn time_key(at: i64, record_key: &[u8]) -> Vec<u8> {
    [&at.to_be_bytes(), record_key].concat()
}

pub(super) fn split_time_key(key: &[u8]) -> Result<(i64, &[u8]), StoreError> {
    let split = key
        .split_at_checked(8)
        .and_then(|(at, record_key)| Some((i64::from_be_bytes(at.try_into().ok()?), record_key)));
    split.ok_or_else(|| StoreError::damaged("the time of a remembered answer is too short"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Durability, Options,
        engine::{Changes, Engine},
        handle::Replica,
        open,
    };
    use std::ops::Bound;

    const DAY: i64 = REPLAY_WINDOW_MS;

    fn replica(folder: &std::path::Path) -> Replica {
        let options = Options {
            cache_bytes: 1 << 20,
            index_bytes: 0,
            snapshot_bytes: 1 << 20,
            queue: 1,
            batch: 1,
            durability: Durability::Ephemeral,
            token_secret: Some("secret".into()),
        };
        Replica::new(open::open(folder, &options).unwrap(), 0, 1 << 20)
    }

    /// So many creates in one commit.
    fn commit(replica: &Replica, millis: i64, creates: usize) {
        let opened = replica.acquire().unwrap();
        let (account, now) = (
            AccountId::parse("acc_a").unwrap(),
            Timestamp::from_millis(millis).unwrap(),
        );
        let mut changes = Changes::new();

        for number in 0..creates {
            let mut transaction = Transaction::new(&opened, &changes);
            let key = IdempotencyKey::parse(format!("{millis} {number}").as_bytes()).unwrap();
            let attempt = IdempotentRequest {
                key,
                fingerprint: [0; 32],
            };
            transaction
                .put_idempotency_record(&account, &attempt, now, Vec::new().into())
                .unwrap();
            changes.extend(transaction.into_changes().0);
        }

        opened.engine().apply(&changes).unwrap();
    }

    fn count(engine: &Engine, tree: Tree) -> usize {
        engine
            .range(tree, (Bound::Unbounded, Bound::Unbounded))
            .count()
    }

    /// All creates of a commit removed the same two, so that answers piled up from three creates a
    /// commit on.
    #[test]
    fn creates_of_one_commit_forget_two_old_answers_each() {
        let folder = tempfile::tempdir().unwrap();
        let replica = replica(folder.path());
        for day in 0..4 {
            for _commit in 0..4 {
                commit(&replica, day * DAY + 1, 32);
            }
            let opened = replica.acquire().unwrap();
            for tree in [Tree::Idempotency, Tree::IdempotencyByTime] {
                assert!(
                    count(opened.engine(), tree) <= 32,
                    "{} on day {day}",
                    count(opened.engine(), tree)
                );
            }
        }
    }

    #[test]
    fn an_entry_that_cannot_be_read_does_not_keep_those_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let replica = replica(folder.path());
        commit(&replica, 0, 1);

        let opened = replica.acquire().unwrap();
        let damaged = Changes::from([
            (
                (Tree::IdempotencyByTime, b"short".to_vec()),
                Some(Vec::new().into()),
            ),
            (
                (Tree::Idempotency, b"acc_a\x000 0".to_vec()),
                Some(b"short".to_vec().into()),
            ),
        ]);
        opened.engine().apply(&damaged).unwrap();
        let changes = Changes::new();
        let mut transaction = Transaction::new(&opened, &changes);
        assert_eq!(
            transaction
                .expire_idempotency_records(Timestamp::from_millis(DAY).unwrap(), 10)
                .unwrap(),
            2
        );
        opened
            .engine()
            .apply(&transaction.into_changes().0)
            .unwrap();
        assert_eq!(
            count(opened.engine(), Tree::Idempotency)
                + count(opened.engine(), Tree::IdempotencyByTime),
            0
        );
    }
}
