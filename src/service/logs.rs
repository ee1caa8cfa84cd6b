//! The service for logs: create, read and list.

use super::{
    error::ServiceError,
    idempotency,
    lists::{Lists, PageCache},
    objects::{self, encode},
};
use crate::{
    clock::Clock,
    domain::{
        caller::{Caller, WriteAccess},
        idempotency::IdempotencyKey,
        ids::{LogId, ObjectId},
        log::{Log, SCHEMA},
        log_input::LogDraft,
        rejection::Rejection,
    },
    ids::{IdBasis, Ids},
    store::{LOGS, Store, StoreError, Stored},
};

/// The service for logs. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Logs {
    store: Store,
    clock: Clock,
    ids: Ids,
    lists: Lists,
}

impl Logs {
    /// A service over `store`, which caches pages of lists in `pages`.
    pub fn new(store: Store, clock: Clock, ids: Ids, pages: PageCache) -> Self {
        let lists = Lists::new(store.clone(), LOGS, SCHEMA, pages);
        Self {
            store,
            clock,
            ids,
            lists,
        }
    }

    /// Creates a log in the writer's account. A repeated request under the same key gets the first
    /// response.
    ///
    /// # Errors
    /// The key was used for another draft; the store failed.
    pub async fn create(
        &self,
        writer: &WriteAccess,
        draft: LogDraft,
        key: Option<IdempotencyKey>,
    ) -> Result<(LogId, Stored), ServiceError> {
        let request = key
            .map(|key| idempotency::tagged_fingerprint(key, "log", &draft))
            .transpose()?;
        let (writer, clock, ids) = (writer.clone(), self.clock.clone(), self.ids.clone());
        let author = ObjectId::parse(writer.actor())
            .ok_or_else(|| StoreError::Damaged(format!("'{}' is not an id", writer.actor())))?;

        self.store
            .write(move |transaction| {
                let account = writer.account();
                let now = clock.now_in(account);
                if let Some(request) = &request
                    && let Some(record) =
                        idempotency::find_first(transaction, account, request, now)?
                {
                    let log: Log = objects::decode(&record)?;
                    return Ok((log.id, record));
                }

                let tiny_id = transaction.next_tiny_id(LOGS, account)?;
                let id = objects::unused(
                    transaction,
                    LOGS,
                    IdBasis::new(account, tiny_id),
                    |basis| ids.log(basis),
                    LogId::as_str,
                )?;
                let log = Log::create(draft, &author, account.clone(), id, tiny_id, now);
                let record = encode(&log)?;
                transaction.insert(LOGS, account, tiny_id, log.id.as_str(), record.clone())?;
                if let Some(request) = &request {
                    transaction.put_idempotency_record(account, request, &clock, record.clone())?;
                }

                Ok((log.id, record))
            })
            .await
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
