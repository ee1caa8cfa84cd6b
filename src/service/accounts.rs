//! The service for accounts.

use super::{error::ServiceError, objects::decode};
use crate::{
    clock::Clock,
    domain::{
        account::Account, caller::Caller, ids::AccountId, rejection::Rejection,
        timestamp::Timestamp,
    },
    store::{ALERTS, INTEGRATIONS, LOGS, ScanDirection, Store, TEAMS, USERS},
};
use serde::Deserialize;

/// The service for accounts. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    clock: Clock,
}

#[derive(Deserialize)]
struct CreatedAt {
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
}

impl Accounts {
    /// A service over `store`.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// The caller's account. It begins with its first object, or now if it has none.
    ///
    /// # Errors
    /// The id is that of another account; the store failed.
    pub fn get(&self, caller: &Caller, id: &AccountId) -> Result<Account, ServiceError> {
        if *id != caller.account {
            return Err(Rejection::NotFound("Account").into());
        }

        let snapshot = self.store.snapshot()?;
        let mut created_at: Option<Timestamp> = None;
        for collection in [INTEGRATIONS, ALERTS, LOGS, USERS, TEAMS] {
            let first =
                snapshot.page(collection, id, ScanDirection::Ascending, 0, 1, usize::MAX)?;
            for record in first.into_iter().flatten() {
                let CreatedAt { created_at: own } = decode(&record)?;
                created_at = Some(created_at.map_or(own, |earliest| earliest.min(own)));
            }
        }

        let created_at = created_at.unwrap_or_else(|| self.clock.now_in(id));
        Ok(Account::new(id.clone(), created_at))
    }
}
