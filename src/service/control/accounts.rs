//! Replacing whole accounts, which resets, restores and loaded states have in common.

use super::{Control, ControlScope};
use crate::{
    domain::{ids::AccountId, rejection::Rejection},
    service::error::ServiceError,
    store::{AccountEntries, Snapshot, StoreError},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The entries of accounts, as of one commit.
pub(super) type AccountStates = BTreeMap<AccountId, AccountEntries>;

/// The accounts of a scope. Of all accounts, only those that have had something count.
pub(super) fn accounts_of(
    scope: &ControlScope,
    snapshot: &Snapshot,
) -> Result<Vec<AccountId>, StoreError> {
    match scope {
        ControlScope::Account(account) => Ok(vec![account.clone()]),
        ControlScope::AllAccounts => snapshot.accounts(),
    }
}

impl Control {
    /// Everything that the accounts of a scope have, as of one commit.
    pub(super) fn read_accounts(
        &self,
        scope: &ControlScope,
    ) -> Result<AccountStates, ServiceError> {
        let snapshot = self.store.snapshot()?;
        let mut states = AccountStates::new();
        for account in accounts_of(scope, &snapshot)? {
            let entries = snapshot.account_entries(&account)?;
            states.insert(account, entries);
        }
        Ok(states)
    }

    /// Makes the accounts of a scope hold exactly these entries. Each account is replaced in one
    /// commit, so readers see it before or after but never in between.
    pub(super) async fn replace_accounts(
        &self,
        scope: &ControlScope,
        states: Arc<AccountStates>,
    ) -> Result<(), ServiceError> {
        let mut accounts: BTreeSet<AccountId> = states.keys().cloned().collect();
        accounts.extend(accounts_of(scope, &self.store.snapshot()?)?);

        for account in accounts {
            let states = Arc::clone(&states);
            let replaced = self.store.write(move |transaction| {
                let nothing = AccountEntries::default();
                let entries = states.get(&account).unwrap_or(&nothing);
                if let Some(id) = transaction.foreign_id(&account, entries)? {
                    let message = format!("The id '{id}' exists in another account");
                    return Err(ServiceError::from(Rejection::Conflict(message)));
                }
                Ok(transaction.replace_account(&account, entries)?)
            });
            replaced.await?;
        }

        // There may be other webhooks to send.
        self.dispatch_signal.notify();
        Ok(())
    }
}
