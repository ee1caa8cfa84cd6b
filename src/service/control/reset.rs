//! Reset: an account as if it had never been used.

use super::{Control, ControlWriter};
use crate::{
    service::error::ServiceError,
    store::{AccountEntries, StoreError},
};

impl Control {
    /// Removes all objects of the accounts, their counters, idempotency keys and waiting webhooks.
    /// Readers see each account either whole or empty.
    ///
    /// # Errors
    /// The store failed.
    pub async fn reset(&self, writer: &ControlWriter) -> Result<(), ServiceError> {
        for account in self.accounts(writer.scope())? {
            let forgotten = Some(account.clone());
            self.store
                .write(move |transaction| {
                    transaction.replace_account(&account, &AccountEntries::default())
                })
                .await
                .map_err(|error: StoreError| error)?;
            self.journal.forget(&forgotten);
        }

        Ok(())
    }
}
