//! Taking away what is old: alerts and logs have a maximum age and number for each account.
//!
//! What is to go is found out beside the writer, and taken away in small commands between those of
//! others.

use super::{alerts, blocking, objects};
use crate::{
    clock::Clock,
    domain::{alert::Alert, ids::AccountId, log::Log, timestamp::Timestamp},
    store::{ALERTS, Collection, LOGS, Store, StoreError, Stored, Transaction},
};

/// How much is kept of each account; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Alerts; the oldest go first.
    pub alerts: u64,
    /// Days after which an alert goes that is over.
    pub alert_days: u64,
    /// Logs; the oldest go first.
    pub logs: u64,
    /// Days after which a log goes.
    pub log_days: u64,
}

/// Whoever takes away what is old.
#[derive(Clone, Debug)]
pub struct Retention {
    store: Store,
    clock: Clock,
    keep: RetentionPolicy,
}

/// So many go in one command at most.
const PORTION: usize = 64;
/// So many answers go in one command: each may be as large as an object.
const ANSWERS: usize = 8;
/// Bytes of those that go in one command, unless one alone has more.
const PORTION_BYTES: usize = 1 << 20;
const DAY: i64 = 86_400_000;

/// What is known of an object to judge it.
struct Candidate {
    id: String,
    created_at: Timestamp,
    /// Whether its age is no reason to take it away.
    goes_on: bool,
}

impl Retention {
    /// Keeps so much of each account in `store`.
    pub fn new(store: Store, clock: Clock, keep: RetentionPolicy) -> Self {
        Self { store, clock, keep }
    }

    /// Takes away all that is too old or too much now, and answers that nobody can ask for any
    /// more. Returns how many objects went.
    ///
    /// # Errors
    /// The store failed, or the first damage that was met. What is damaged stays, for `check` to
    /// name, and keeps nothing else.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let RetentionPolicy {
            alerts,
            alert_days,
            logs,
            log_days,
        } = self.keep;
        let mut swept = Swept::default();

        swept.done(self.sweep_answers().await)?;
        let alerts = Sweep {
            collection: ALERTS,
            most: alerts,
            days: alert_days,
            candidate: alert_candidate,
        };

        let logs = Sweep {
            collection: LOGS,
            most: logs,
            days: log_days,
            candidate: log_candidate,
        };

        for (sweep, delete) in [(alerts, delete_alert as Delete), (logs, delete_log)] {
            if sweep.most == 0 && sweep.days == 0 {
                continue;
            }
            for account in self
                .store
                .snapshot()?
                .accounts_with_records(sweep.collection)?
            {
                swept.done(self.sweep_account(sweep, account, delete).await)?;
            }
        }

        swept.damage.map_or(Ok(swept.gone), Err)
    }

    /// Answers under an `Idempotency-Key` are forgotten by later ones; without later ones, here.
    async fn sweep_answers(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        while self
            .store
            .write(move |transaction| transaction.expire_idempotency_records(now, ANSWERS))
            .await?
            == ANSWERS
        {}
        Ok(0)
    }

    async fn sweep_account(
        &self,
        sweep: Sweep,
        account: AccountId,
        delete: Delete,
    ) -> Result<u64, StoreError> {
        let own = self.clone();
        // It may read all of the account, and whoever sweeps shares a thread with others.
        let old = blocking::run_blocking(move || own.old(sweep, &account)).await;

        // Whatever it was that broke down, it is something of this account.
        let old =
            old.map_err(|_broken| StoreError::Damaged("reading an account broke down".into()))??;

        let mut gone = 0_u64;
        let mut rest = old.as_slice();
        while let Some(portion) = next_portion(&mut rest) {
            gone = gone.saturating_add(portion.len().try_into().unwrap_or_default());
            self.store
                .write(move |transaction| portion.iter().try_for_each(|id| delete(transaction, id)))
                .await?;
        }

        Ok(gone)
    }

    /// What is to go, oldest first. What cannot be read stays, for `check` to name.
    fn old(&self, sweep: Sweep, account: &AccountId) -> Result<Vec<Old>, StoreError> {
        let Sweep {
            collection,
            most,
            days,
            candidate,
        } = sweep;
        let age = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY);
        let now = self.clock.now();
        let newest_old = now.millis().saturating_sub(age);
        let snapshot = self.store.snapshot()?;
        let live = snapshot.count(collection, account)?;
        let too_many = if most == 0 {
            0
        } else {
            live.saturating_sub(most)
        };

        let mut old = Vec::new();
        for (seen, record) in (0_u64..).zip(snapshot.records_oldest_first(collection, account)) {
            let record = match record {
                Err(damage) if damage.is_damage() => continue,
                outcome => outcome?,
            };

            let Ok(Candidate {
                id,
                created_at,
                goes_on,
            }) = candidate(&record)
            else {
                continue;
            };

            let is_old = days > 0 && created_at.millis() <= newest_old;
            // What was made while the clock was ahead says nothing of those behind it.
            if seen >= too_many && !is_old && created_at <= now {
                break;
            }

            if seen < too_many || (is_old && !goes_on) {
                old.push(Old {
                    id,
                    bytes: record.as_ref().len(),
                });
            }
        }

        Ok(old)
    }
}

/// Which objects are looked at, and by which rule.
#[derive(Clone, Copy)]
struct Sweep {
    collection: Collection,
    most: u64,
    days: u64,
    candidate: fn(&Stored) -> Result<Candidate, StoreError>,
}

/// Takes one object away.
type Delete = fn(&mut Transaction<'_>, &str) -> Result<(), StoreError>;

/// Something that is to go.
struct Old {
    id: String,
    /// As many are read once more to delete it.
    bytes: usize,
}

/// The ids of those that go in the next command, which all other writes wait for: neither many nor
/// much.
fn next_portion(rest: &mut &[Old]) -> Option<Vec<String>> {
    let mut bytes = 0_usize;
    let fits = rest.iter().take(PORTION).take_while(|old| {
        let fits = bytes == 0 || bytes.saturating_add(old.bytes) <= PORTION_BYTES;
        bytes = bytes.saturating_add(old.bytes.max(1));
        fits
    });
    let (portion, left) = rest.split_at_checked(fits.count())?;
    *rest = left;
    (!portion.is_empty()).then(|| portion.iter().map(|old| old.id.clone()).collect())
}

/// What a sweep has done so far.
#[derive(Default)]
struct Swept {
    gone: u64,
    /// The first that was met.
    damage: Option<StoreError>,
}

impl Swept {
    /// A part of it is done. What is damaged in one account is no reason to leave the others.
    fn done(&mut self, outcome: Result<u64, StoreError>) -> Result<(), StoreError> {
        match outcome {
            Ok(gone) => self.gone = self.gone.saturating_add(gone),
            Err(damage) if damage.is_damage() => {
                self.damage.get_or_insert(damage);
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }
}

fn alert_candidate(record: &Stored) -> Result<Candidate, StoreError> {
    let Alert {
        id,
        created_at,
        status,
        ..
    } = objects::decode(record)?;
    Ok(Candidate {
        id: id.into(),
        created_at,
        goes_on: status.is_active(),
    })
}

fn log_candidate(record: &Stored) -> Result<Candidate, StoreError> {
    let Log { id, created_at, .. } = objects::decode(record)?;
    Ok(Candidate {
        id: id.into(),
        created_at,
        goes_on: false,
    })
}

/// What somebody has deleted meanwhile is gone all the same.
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
