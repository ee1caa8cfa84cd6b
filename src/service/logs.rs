//! The service for logs: read and list.

use super::{
    error::ServiceError,
    lists::{Lists, PageCache},
};
use crate::{
    domain::{caller::Caller, ids::LogId, log::SCHEMA, rejection::Rejection},
    store::{LOGS, Store, Stored},
};

/// The service for logs. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Logs {
    store: Store,
    lists: Lists,
}

impl Logs {
    /// A service over `store`, which caches pages of lists in `pages`.
    pub fn new(store: Store, pages: PageCache) -> Self {
        let lists = Lists::new(store.clone(), LOGS, SCHEMA, pages);
        Self { store, lists }
    }

    /// The stored record of a log in the caller's account.
    ///
    /// # Errors
    /// No such log in this account; the store failed.
    pub fn get(&self, caller: &Caller, id: &LogId) -> Result<Stored, ServiceError> {
        let found = self.store.record(LOGS, id.as_str())?;
        Ok(found
            .filter(|record| LOGS.owns(&caller.account, record))
            .ok_or(Rejection::NotFound("Log"))?)
    }

    /// Lists of logs.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }
}
