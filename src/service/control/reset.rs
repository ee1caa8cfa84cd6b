//! Reset: an account as if it had never been used.

use super::{
    Control, ControlWriter,
    accounts::{AccountStates, accounts_of},
};
use crate::service::error::ServiceError;
use std::sync::Arc;

impl Control {
    /// Removes all objects of the accounts, their counters, idempotency keys and waiting webhooks.
    /// Readers see each account either whole or empty.
    ///
    /// # Errors
    /// The store failed.
    pub async fn reset(&self, writer: &ControlWriter) -> Result<(), ServiceError> {
        let accounts = accounts_of(writer.scope(), &self.store.snapshot()?)?;
        let nothing = Arc::new(AccountStates::new());
        self.replace_accounts(writer.scope(), nothing).await?;
        for account in accounts {
            self.journal.forget(&Some(account));
        }

        // Ids repeat from here on, and so do those of requests.
        if let Some(seeds) = self.seeds() {
            seeds.restart_requests(writer.scope().account());
        }
        self.issued_tokens.restart(writer.scope().account());
        Ok(())
    }
}
