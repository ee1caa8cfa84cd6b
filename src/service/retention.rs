//! Taking away what is old: alerts and logs have a maximum age and number for each account.
//!
//! What is to go is found out beside the writer, and taken away in small commands between those of others.

use super::{alerts, objects, readers};
use crate::{
    clock::Clock,
    domain::{alert::Alert, ids::AccountId, log::Log, timestamp::Timestamp},
    store::{ALERTS, Collection, LOGS, Store, StoreError, Stored, Transaction},
};

/// How much is kept of each account; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
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
    keep: Keep,
}

/// So many go in one command.
const PORTION: usize = 64;
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
    pub fn new(store: Store, clock: Clock, keep: Keep) -> Self {
        Self { store, clock, keep }
    }

    /// Takes away all that is too old or too much now. Returns how many objects went.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let Keep { alerts, alert_days, logs, log_days } = self.keep;
        let gone = self.sweep_kind(ALERTS, alerts, alert_days, alert_candidate, delete_alert).await?;
        Ok(gone.saturating_add(self.sweep_kind(LOGS, logs, log_days, log_candidate, delete_log).await?))
    }

    async fn sweep_kind(
        &self,
        collection: Collection,
        most: u64,
        days: u64,
        candidate: fn(&Stored) -> Result<Candidate, StoreError>,
        delete: fn(&mut Transaction<'_>, &str) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let mut gone = 0_u64;
        if most == 0 && days == 0 {
            return Ok(gone);
        }
        let accounts = self.store.snapshot()?.accounts(collection)?;
        for (account, _) in accounts {
            let own = self.clone();
            // It may read all of the account, and whoever sweeps shares a thread with others.
            let old = readers::elsewhere(move || own.old(collection, &account, most, days, candidate)).await??;
            for portion in old.chunks(PORTION) {
                let ids = portion.to_vec();
                gone = gone.saturating_add(ids.len().try_into().unwrap_or_default());
                self.store.write(move |transaction| ids.iter().try_for_each(|id| delete(transaction, id))).await?;
            }
        }
        Ok(gone)
    }

    /// The ids of what is to go, oldest first. What cannot be read stays, for `check` to name.
    fn old(
        &self,
        collection: Collection,
        account: &AccountId,
        most: u64,
        days: u64,
        candidate: fn(&Stored) -> Result<Candidate, StoreError>,
    ) -> Result<Vec<String>, StoreError> {
        let age = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY);
        let now = self.clock.now();
        let newest_old = now.millis().saturating_sub(age);
        let snapshot = self.store.snapshot()?;
        let live = snapshot.count(collection, account)?;
        let too_many = if most == 0 { 0 } else { live.saturating_sub(most) };
        let mut ids = Vec::new();
        for (seen, record) in (0_u64..).zip(snapshot.oldest_first(collection, account)) {
            let Ok(Candidate { id, created_at, goes_on }) = candidate(&record?) else { continue };
            let is_old = days > 0 && created_at.millis() <= newest_old;
            // What was made while the clock was ahead says nothing of those behind it.
            if seen >= too_many && !is_old && created_at <= now {
                break;
            }
            if seen < too_many || (is_old && !goes_on) {
                ids.push(id);
            }
        }
        Ok(ids)
    }
}

fn alert_candidate(record: &Stored) -> Result<Candidate, StoreError> {
    let Alert { id, created_at, status, .. } = objects::decode(record)?;
    Ok(Candidate { id: id.into(), created_at, goes_on: status.goes_on() })
}

fn log_candidate(record: &Stored) -> Result<Candidate, StoreError> {
    let Log { id, created_at, .. } = objects::decode(record)?;
    Ok(Candidate { id: id.into(), created_at, goes_on: false })
}

/// What somebody has deleted meanwhile is gone all the same.
fn delete_alert(transaction: &mut Transaction<'_>, id: &str) -> Result<(), StoreError> {
    match transaction.record(ALERTS, id)? {
        Some(record) => alerts::delete(transaction, &objects::decode(&record)?),
        None => Ok(()),
    }
}

fn delete_log(transaction: &mut Transaction<'_>, id: &str) -> Result<(), StoreError> {
    let Some(record) = transaction.record(LOGS, id)? else { return Ok(()) };
    let Log { sid, tiny_id, .. } = objects::decode(&record)?;
    transaction.delete(LOGS, &sid, tiny_id, id)
}
