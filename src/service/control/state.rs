//! The state of an account as the lines of an export: read, and replaced.

use super::{Control, ControlCaller, ControlScope, ControlWriter, accounts::AccountStates};
use crate::{
    domain::{ids::AccountId, rejection::Rejection},
    service::error::ServiceError,
    store::{
        AccountEntries, StoreError,
        archive::{self, ArchiveError, Progress},
    },
};
use std::sync::Arc;

/// A parsed state.
#[derive(Debug)]
pub struct ParsedState(AccountStates);

impl ParsedState {
    /// Parses an export. May be slow.
    ///
    /// # Errors
    /// Every problem, with its line.
    pub fn parse(text: &[u8]) -> Result<Self, Rejection> {
        archive::read_accounts(text)
            .map(Self)
            .map_err(|issues| Rejection::Invalid(issues.iter().map(ToString::to_string).collect()))
    }

    /// Refuses accounts that are not the writer's.
    fn check_scope(&self, scope: &ControlScope) -> Result<(), Rejection> {
        let Some(own) = scope.account() else {
            return Ok(());
        };
        let is_foreign = |account: &&AccountId| *account != own;
        match self.0.keys().find(is_foreign) {
            None => Ok(()),
            Some(foreign) => Err(Rejection::invalid(format!(
                "The state has lines of account '{foreign}', but the credential is of account \
                 '{own}'; leave them out, or send '?all=true'"
            ))),
        }
    }
}

impl Control {
    /// The accounts as an export. May be slow.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn state(&self, caller: &ControlCaller) -> Result<Vec<u8>, ServiceError> {
        let mut lines = Vec::new();
        let written = match caller.scope() {
            ControlScope::Account(account) => {
                let entries: AccountEntries = self.store.snapshot()?.account_entries(account)?;
                archive::export_account(&entries, &mut lines)
            }
            ControlScope::AllAccounts => {
                let snapshot = self.store.snapshot()?;
                archive::export(&snapshot, &mut lines, &Progress::none()).map(drop)
            }
        };
        written.map_err(store_error)?;
        Ok(lines)
    }

    /// Replaces the writer's accounts by a state, with its ids, numbers and times.
    ///
    /// # Errors
    /// The state has lines of other accounts, or ids that exist in one; the store failed.
    pub async fn replace_state(
        &self,
        writer: &ControlWriter,
        state: ParsedState,
    ) -> Result<(), ServiceError> {
        state.check_scope(writer.scope())?;
        self.replace_accounts(writer.scope(), Arc::new(state.0))
            .await
    }

    /// Replaces the accounts that a state has, and no others.
    ///
    /// # Errors
    /// An id exists in another account; the store failed.
    pub async fn load_state(&self, state: ParsedState) -> Result<(), ServiceError> {
        for (account, entries) in state.0 {
            let scope = ControlScope::Account(account.clone());
            let states = AccountStates::from([(account, entries)]);
            self.replace_accounts(&scope, Arc::new(states)).await?;
        }
        Ok(())
    }
}

fn store_error(error: ArchiveError) -> StoreError {
    match error {
        ArchiveError::Store(error) => error,
        other => StoreError::Damaged(other.to_string()),
    }
}
