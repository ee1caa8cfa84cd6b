//! Retention: removes alerts and logs beyond a maximum age or number for each account.
//!
//! Expired records are found outside the writer and deleted in small commands, between those of
//! requests.

use super::{alerts, blocking, objects};
use crate::{
    clock::Clock,
    domain::{alert::Alert, ids::AccountId, log::Log, timestamp::Timestamp},
    store::{ALERTS, Collection, LOGS, Store, StoreError, Stored, Transaction},
};

/// How much is kept of each account; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Maximum number of alerts. The oldest are removed first.
    pub alerts: u64,
    /// Days after which alerts are removed that are no longer active.
    pub alert_days: u64,
    /// Maximum number of logs. The oldest are removed first.
    pub logs: u64,
    /// Days after which logs are removed.
    pub log_days: u64,
}

/// Applies a retention policy. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Retention {
    store: Store,
    clock: Clock,
    policy: RetentionPolicy,
}

/// Maximum number of records deleted in one command.
const BATCH_SIZE: usize = 64;
/// Maximum number of idempotency records deleted in one command. Each may be as large as an object.
const IDEMPOTENCY_BATCH_SIZE: usize = 8;
/// Bytes of records deleted in one command, unless a single one has more.
const BATCH_BYTES: usize = 1 << 20;
const DAY_MILLIS: i64 = 86_400_000;

/// The properties of a record that retention looks at.
struct ExpiredRecord {
    id: String,
    created_at: Timestamp,
    /// Active alerts do not expire by age.
    is_active: bool,
}

impl Retention {
    /// Applies `policy` to `store`.
    pub fn new(store: Store, clock: Clock, policy: RetentionPolicy) -> Self {
        Self {
            store,
            clock,
            policy,
        }
    }

    /// Deletes all records that have expired, and expired idempotency records. Returns the number
    /// of objects deleted.
    ///
    /// # Errors
    /// The store failed, or the first damage found. Damaged records stay, for `check` to report,
    /// and do not stop the sweep.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let RetentionPolicy {
            alerts,
            alert_days,
            logs,
            log_days,
        } = self.policy;
        let mut progress = SweepProgress::default();

        progress.record(self.sweep_idempotency_records().await)?;
        let alerts = RetentionRule {
            collection: ALERTS,
            max_records: alerts,
            max_days: alert_days,
            candidate: alert_candidate,
            delete: delete_alert,
        };

        let logs = RetentionRule {
            collection: LOGS,
            max_records: logs,
            max_days: log_days,
            candidate: log_candidate,
            delete: delete_log,
        };

        for rule in [alerts, logs] {
            if rule.max_records == 0 && rule.max_days == 0 {
                continue;
            }
            for account in self
                .store
                .snapshot()?
                .accounts_with_records(rule.collection)?
            {
                progress.record(self.sweep_account(rule, account).await)?;
            }
        }

        progress.damage.map_or(Ok(progress.deleted), Err)
    }

    /// Waits until the clock has been moved after the version `seen`, so that other records may have
    /// expired.
    pub async fn clock_adjusted_since(&self, seen: u64) -> u64 {
        self.clock.adjusted_since(seen).await
    }

    /// Creates expire older idempotency records too. This does it for accounts without creates.
    async fn sweep_idempotency_records(&self) -> Result<u64, StoreError> {
        const BATCH: usize = IDEMPOTENCY_BATCH_SIZE;
        loop {
            let clock = self.clock.clone();
            let expire = self
                .store
                .write(move |transaction| transaction.expire_idempotency_records(&clock, BATCH));
            if expire.await? < BATCH {
                break;
            }
        }
        Ok(0)
    }

    async fn sweep_account(
        &self,
        rule: RetentionRule,
        account: AccountId,
    ) -> Result<u64, StoreError> {
        let own = self.clone();
        // May read the whole account.
        let expired = blocking::run_blocking(move || own.expired(rule, &account)).await;
        let expired = expired
            .map_err(|_panic| StoreError::Damaged("reading an account panicked".into()))??;

        let mut deleted = 0_u64;
        let mut rest = expired.as_slice();
        while let Some(batch) = next_batch(&mut rest) {
            deleted = deleted.saturating_add(batch.len().try_into().unwrap_or_default());
            self.store
                .write(move |transaction| {
                    batch
                        .iter()
                        .try_for_each(|id| (rule.delete)(transaction, id))
                })
                .await?;
        }

        Ok(deleted)
    }

    /// The expired records of an account, oldest first, without those that cannot be read.
    fn expired(
        &self,
        rule: RetentionRule,
        account: &AccountId,
    ) -> Result<Vec<Expired>, StoreError> {
        let RetentionRule {
            collection,
            max_records,
            max_days,
            candidate,
            ..
        } = rule;
        let max_age = i64::try_from(max_days)
            .unwrap_or(i64::MAX)
            .saturating_mul(DAY_MILLIS);
        let now = self.clock.now_in(account);
        let cutoff = now.millis().saturating_sub(max_age);
        let snapshot = self.store.snapshot()?;
        let excess = match max_records {
            0 => 0,
            max => snapshot.count(collection, account)?.saturating_sub(max),
        };

        let mut expired = Vec::new();
        for (position, record) in (0_u64..).zip(snapshot.records_oldest_first(collection, account))
        {
            let record = match record {
                Err(damage) if damage.is_damage() => continue,
                outcome => outcome?,
            };

            let Ok(ExpiredRecord {
                id,
                created_at,
                is_active,
            }) = candidate(&record)
            else {
                continue;
            };

            let is_excess = position < excess;
            let is_old = max_days > 0 && created_at.millis() <= cutoff;
            // Later records are newer, except behind one that was created while the clock was
            // ahead.
            if !is_excess && !is_old && created_at <= now {
                break;
            }

            if is_excess || (is_old && !is_active) {
                expired.push(Expired {
                    id,
                    bytes: record.as_ref().len(),
                });
            }
        }

        Ok(expired)
    }
}

/// The part of a policy for one collection.
#[derive(Clone, Copy)]
struct RetentionRule {
    collection: Collection,
    max_records: u64,
    max_days: u64,
    candidate: fn(&Stored) -> Result<ExpiredRecord, StoreError>,
    delete: fn(&mut Transaction<'_>, &str) -> Result<(), StoreError>,
}

/// A record that has expired.
struct Expired {
    id: String,
    /// Deleting it reads this many bytes again.
    bytes: usize,
}

/// The ids to delete in the next command. All other writes wait for it, so it has bounds in number
/// and bytes.
fn next_batch(rest: &mut &[Expired]) -> Option<Vec<String>> {
    let mut bytes = 0_usize;
    let fits = rest.iter().take(BATCH_SIZE).take_while(|expired| {
        let fits = bytes == 0 || bytes.saturating_add(expired.bytes) <= BATCH_BYTES;
        bytes = bytes.saturating_add(expired.bytes.max(1));
        fits
    });
    let (batch, remaining) = rest.split_at_checked(fits.count())?;
    *rest = remaining;
    (!batch.is_empty()).then(|| batch.iter().map(|expired| expired.id.clone()).collect())
}

#[derive(Default)]
struct SweepProgress {
    deleted: u64,
    /// The first damage found.
    damage: Option<StoreError>,
}

impl SweepProgress {
    /// Records the result for one account. Damage in one does not stop the others.
    fn record(&mut self, result: Result<u64, StoreError>) -> Result<(), StoreError> {
        match result {
            Ok(deleted) => self.deleted = self.deleted.saturating_add(deleted),
            Err(damage) if damage.is_damage() => {
                self.damage.get_or_insert(damage);
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }
}

fn alert_candidate(record: &Stored) -> Result<ExpiredRecord, StoreError> {
    let Alert {
        id,
        created_at,
        status,
        ..
    } = objects::decode(record)?;
    Ok(ExpiredRecord {
        id: id.into(),
        created_at,
        is_active: status.is_active(),
    })
}

fn log_candidate(record: &Stored) -> Result<ExpiredRecord, StoreError> {
    let Log { id, created_at, .. } = objects::decode(record)?;
    Ok(ExpiredRecord {
        id: id.into(),
        created_at,
        is_active: false,
    })
}

/// Deletes an alert, unless a client has deleted it meanwhile.
fn delete_alert(transaction: &mut Transaction<'_>, id: &str) -> Result<(), StoreError> {
    match transaction.record(ALERTS, id)? {
        Some(record) => alerts::delete(transaction, &objects::decode(&record)?),
        None => Ok(()),
    }
}

fn delete_log(transaction: &mut Transaction<'_>, id: &str) -> Result<(), StoreError> {
    let Some(record) = transaction.record(LOGS, id)? else {
        return Ok(());
    };
    let Log { sid, tiny_id, .. } = objects::decode(&record)?;
    transaction.delete(LOGS, &sid, tiny_id, id)
}
