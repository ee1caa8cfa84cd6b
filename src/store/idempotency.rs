//! Responses stored under a client's `Idempotency-Key` for a day, in the same commit as the change
//! that they answer.
//!
//! A second tree holds the same keys by time, so that expired entries are found without a search.
//! Each new record removes up to two expired ones.

use super::{
    StoreError, Transaction,
    entries::Stored,
    trees::{self, Tree},
};
use crate::{
    clock::Clock,
    domain::{
        idempotency::{IdempotencyKey, IdempotentRequest, REPLAY_WINDOW_MS},
        ids::AccountId,
        timestamp::Timestamp,
    },
};

/// The stored response to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// When it was stored, in milliseconds since 1970.
    pub(super) at: i64,
    /// The digest of the request.
    pub fingerprint: [u8; 32],
    /// The response body.
    pub record: Stored,
}

/// Records of accounts with another time that a search for expired ones skips.
const MAX_SKIPPED: usize = 64;
/// Expired records removed with each new one. More than one, so that a backlog shrinks.
const EXPIRED_PER_INSERT: usize = 2;

impl IdempotencyRecord {
    /// Time as big-endian i64, digest, response.
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
        decoded.ok_or_else(|| StoreError::damaged("an idempotency record is too short"))
    }
}

impl Transaction<'_> {
    /// The response stored under this key less than a day ago.
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

    /// Stores a response for a day.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn put_idempotency_record(
        &mut self,
        account: &AccountId,
        attempt: &IdempotentRequest,
        clock: &Clock,
        record: Stored,
    ) -> Result<(), StoreError> {
        self.expire_idempotency_records(clock, EXPIRED_PER_INSERT)?;
        let record_key = record_key(account, &attempt.key);
        if let Some(previous) = self.get(Tree::Idempotency, &record_key)? {
            let previous = IdempotencyRecord::decode(previous.as_ref())?;
            self.remove(Tree::IdempotencyByTime, time_key(previous.at, &record_key));
        }

        let record = IdempotencyRecord {
            at: clock.now_in(account).millis(),
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

    /// Removes the oldest expired records, at most `most`. Returns the number removed. Each record
    /// expires by the time of its account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn expire_idempotency_records(
        &mut self,
        clock: &Clock,
        most: usize,
    ) -> Result<usize, StoreError> {
        // Where a test has moved the clock of an account, its records may precede older ones.
        let skipped = if clock.is_adjusted() { MAX_SKIPPED } else { 0 };
        let mut expired = 0_usize;
        for key in self.first_keys(Tree::IdempotencyByTime, most.saturating_add(skipped))? {
            if expired == most {
                break;
            }

            // A damaged entry is removed like an expired one; otherwise it would block those
            // behind it for ever.
            if let Ok((at, record_key)) = split_time_key(&key) {
                let now = trees::account_in_key(record_key).map(|account| clock.now_in(&account));
                if now.is_some_and(|now| !is_expired(at, now)) {
                    if skipped == 0 {
                        break;
                    }
                    continue;
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

/// Key in `idempotency_by_time`. Times before 1970 would sort last, but only a clock that is half a
/// century off yields one.
pub(super) fn time_key(at: i64, record_key: &[u8]) -> Vec<u8> {
    [&at.to_be_bytes(), record_key].concat()
}

pub(super) fn split_time_key(key: &[u8]) -> Result<(i64, &[u8]), StoreError> {
    let split = key
        .split_at_checked(8)
        .and_then(|(at, record_key)| Some((i64::from_be_bytes(at.try_into().ok()?), record_key)));
    split.ok_or_else(|| StoreError::damaged("a key in idempotency_by_time is too short"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Durability, Options,
        entries::Changes,
        local::open,
        replica::{CurrentReplica, Replica},
    };
    use std::{ops::Bound, task::Waker};

    const DAY: i64 = REPLAY_WINDOW_MS;

    fn current(folder: &std::path::Path) -> CurrentReplica {
        let options = Options {
            cache_bytes: 1 << 20,
            index_bytes: 0,
            snapshot_bytes: 1 << 20,
            queue: 1,
            batch: 1,
            durability: Durability::Ephemeral,
            token_secret: Some("secret".into()),
            contention: None,
        };
        let engine = open::open(folder, &options).unwrap();
        CurrentReplica::new(engine, &options, Waker::noop().clone())
    }

    /// Commits this many creates at once.
    fn commit(current: &CurrentReplica, millis: i64, creates: usize) {
        let replica = current.acquire().unwrap();
        let (account, clock) = (AccountId::parse("acc_a").unwrap(), Clock::manual(millis));
        let mut changes = Changes::default();

        for number in 0..creates {
            let mut transaction = Transaction::new(&replica, &changes);
            let key = IdempotencyKey::parse(format!("{millis} {number}").as_bytes()).unwrap();
            let attempt = IdempotentRequest {
                key,
                fingerprint: [0; 32],
            };
            transaction
                .put_idempotency_record(&account, &attempt, &clock, Vec::new().into())
                .unwrap();
            changes.extend(transaction.into_changes());
        }

        replica.apply(&changes).unwrap();
    }

    fn count(replica: &Replica, tree: Tree) -> usize {
        let everything = (Bound::Unbounded, Bound::Unbounded);
        let count = replica.read(|engine| Ok(engine.range(tree, everything).count()));
        count.unwrap()
    }

    /// All creates of a commit used to remove the same two records, so that they piled up from
    /// three creates per commit on.
    #[test]
    fn each_create_of_a_commit_removes_two_expired_records() {
        let folder = tempfile::tempdir().unwrap();
        let current = current(folder.path());
        for day in 0..4 {
            for _commit in 0..4 {
                commit(&current, day * DAY + 1, 32);
            }
            let replica = current.acquire().unwrap();
            for tree in [Tree::Idempotency, Tree::IdempotencyByTime] {
                assert!(
                    count(&replica, tree) <= 32,
                    "{} on day {day}",
                    count(&replica, tree)
                );
            }
        }
    }

    #[test]
    fn a_damaged_entry_does_not_block_those_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let current = current(folder.path());
        commit(&current, 0, 1);

        let replica = current.acquire().unwrap();
        let damaged = Changes::from_iter([
            (
                (Tree::IdempotencyByTime, b"short".to_vec()),
                Some(Vec::new().into()),
            ),
            (
                (Tree::Idempotency, b"acc_a\x000 0".to_vec()),
                Some(b"short".to_vec().into()),
            ),
        ]);
        replica.apply(&damaged).unwrap();
        let changes = Changes::default();
        let mut transaction = Transaction::new(&replica, &changes);
        assert_eq!(
            transaction
                .expire_idempotency_records(&Clock::manual(DAY), 10)
                .unwrap(),
            2
        );
        replica.apply(&transaction.into_changes()).unwrap();
        assert_eq!(
            count(&replica, Tree::Idempotency) + count(&replica, Tree::IdempotencyByTime),
            0
        );
    }
}
