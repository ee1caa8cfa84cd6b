//! The store: durable, transactional storage of objects and everything around them.
//!
//! - [`Store::write`] runs a command on the single writer thread, in a transaction that is atomic
//!   and durable when the call returns. Commands that wait at the same time share one commit.
//! - [`Store::snapshot`] is a consistent view of the last published commit; [`Store::record`] reads
//!   one object of it. Readers never wait for the writer, and never see what a crash could undo.
//!
//! Inside, from top to bottom: `writer` runs commands and groups commits. `ledger` is the seam behind
//! it: it decides which commits count. `transaction` and `snapshot` are what commands and readers
//! see. Both read the `replica`: engine, MVCC undo log and indexes. `local` is the engine, and the
//! only part that calls sled. `collection` maps objects to `trees`. Who may see what is decided
//! above, in `service`.

mod account_entries;
pub mod archive;
mod backoff;
mod change;
mod change_clock;
mod change_feed;
mod check;
mod collection;
mod command;
mod dedup;
mod entries;
mod error;
mod idempotency;
mod index;
mod job;
mod job_queue;
mod ledger;
mod local;
mod mvcc;
mod options;
mod outbox;
mod record_kinds;
mod replica;
mod snapshot;
mod temporary;
mod transaction;
mod trees;
mod writer;
mod writer_state;

pub use account_entries::AccountEntries;
pub use change_feed::{ChangeObserver, ObjectChange, ObjectChangeKind};
pub use check::{CheckFinding, CheckReport, check};
pub use collection::{
    ALERTS, COLLECTIONS, Collection, INTEGRATIONS, LOGS, ScanDirection, TEAMS, USERS,
};
pub use dedup::DedupKey;
pub use entries::Stored;
pub use error::{OpenError, STALL_TIMEOUT, StallCause, StoreError};
pub use idempotency::IdempotencyRecord;
pub use index::IndexView;
pub(crate) use local::open::OPENING_THREAD;
pub use options::{Durability, Options};
pub use outbox::Outbox;
pub use snapshot::{Expiry, IndexedSnapshot, Snapshot};
pub use temporary::{TemporaryFolder, sweep_temporary_folders};
pub use transaction::Transaction;
pub use trees::SCHEMA_VERSION;
pub use writer_state::WriterStatistics;

use crate::domain::{ids::AccountId, list::FieldPath};
use job_queue::JobQueue;
use ledger::{ContendedLedger, Ledger, LocalLedger};
use replica::CurrentReplica;
use std::{path::Path, sync::Arc, task::Waker};
use writer::WriterThread;

/// The store of one process. Cloning is cheap and gives another handle to the same store.
#[derive(Clone, Debug)]
pub struct Store {
    current: Arc<CurrentReplica>,
    writer: Arc<WriterThread>,
}

impl Store {
    /// Opens the store in `folder`, or creates one there.
    ///
    /// # Errors
    /// The store is locked by another process, cannot be read or written, is damaged, or has a
    /// newer schema.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, OpenError> {
        let engine = local::open::open(folder, options)?;
        let jobs = Arc::new(JobQueue::default());
        let waker = Waker::from(Arc::clone(&jobs));
        let current = Arc::new(CurrentReplica::new(engine, options, waker));
        let local = LocalLedger::new(folder, options);
        let ledger: Box<dyn Ledger> = match options.contention {
            None => Box::new(local),
            Some(seed) => Box::new(ContendedLedger::new(local, seed)),
        };

        let writer = WriterThread::start(Arc::clone(&current), jobs, ledger, folder, options);
        let writer = writer.map_err(|source| OpenError::Io {
            folder: folder.to_owned(),
            source,
        })?;

        Ok(Self {
            current,
            writer: Arc::new(writer),
        })
    }

    /// Runs a command against the current state and makes its changes durable, all or nothing.
    ///
    /// The changes of a command that returns an error are discarded. The command may run more than
    /// once, if its commit conflicts with another writer; only the last run counts.
    ///
    /// # Errors
    /// The error of the command, or a [`StoreError`] when the store is unavailable or stalled, or
    /// its queue is full. Nothing was changed then, unless the store became unavailable during the
    /// commit: in that case it is unknown.
    pub async fn write<T, E, F>(&self, command: F) -> Result<T, E>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, E> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.run(command).await
    }

    /// A view of the last published commit. It does not change, however long it is held.
    ///
    /// # Errors
    /// The store is closed or recovering.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.current.acquire().map(Snapshot::new)
    }

    /// The account's index with these fields and the snapshot that it belongs to. Built if
    /// necessary, which reads all of the account's objects. `None` if it exceeds the memory budget.
    ///
    /// # Errors
    /// The store is unavailable or damaged.
    pub fn indexed(
        &self,
        collection: Collection,
        account: &AccountId,
        fields: &[&FieldPath],
    ) -> Result<Option<IndexedSnapshot>, StoreError> {
        let replica = self.current.acquire()?;
        IndexedSnapshot::get_or_build(&replica, collection, account, fields)
    }

    /// The same, if the index exists already. Never slow.
    ///
    /// # Errors
    /// The store is unavailable.
    pub fn cached_index(
        &self,
        collection: Collection,
        account: &AccountId,
        fields: &[&FieldPath],
    ) -> Result<Option<IndexedSnapshot>, StoreError> {
        let replica = self.current.acquire()?;
        Ok(IndexedSnapshot::get(&replica, collection, account, fields))
    }

    /// A version that differs after every change of the account's objects, and occasionally without
    /// one. Data read after this call is current for as long as the version stays the same.
    pub fn last_change(&self, account: &AccountId) -> u64 {
        self.current.clock.last_change(account)
    }

    /// The version of the last published commit.
    pub fn version(&self) -> u64 {
        self.current.clock.published()
    }

    /// Waits until a commit after version `seen` has been published, and returns the last version.
    pub async fn changed_since(&self, seen: u64) -> u64 {
        self.current.clock.changed_since(seen).await
    }

    /// Tells `observer` what each later commit changes, unless there is an observer already.
    pub fn observe(&self, observer: ChangeObserver) {
        self.current.observer.set(observer);
    }

    /// The record with this id in the last published commit, of any account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn record(&self, collection: Collection, id: &str) -> Result<Option<Stored>, StoreError> {
        self.current
            .with(|replica| replica.get(collection.records, id.as_bytes()))
    }

    /// The secret that signs tokens. It was generated with the store.
    ///
    /// # Errors
    /// The store cannot be read, or the secret is missing.
    pub fn token_secret(&self) -> Result<Vec<u8>, StoreError> {
        let secret = self
            .current
            .with(|replica| replica.get(trees::Tree::Meta, trees::TOKEN_SECRET))?;
        secret
            .filter(|secret| !secret.as_ref().is_empty())
            .map(|secret| secret.as_ref().to_vec())
            .ok_or_else(|| StoreError::damaged("the token secret is missing"))
    }

    /// Size of the files in bytes; 0 while the store is closed.
    pub fn size_on_disk(&self) -> u64 {
        self.current
            .with(|replica| replica.read(|engine| Ok(engine.size_on_disk())))
            .unwrap_or_default()
    }

    /// Memory used by the in-memory indexes, in bytes.
    pub fn index_bytes(&self) -> u64 {
        self.current
            .with(|replica| Ok(replica.indexes.bytes()))
            .unwrap_or_default()
    }

    /// Memory used by old values that snapshots still need, in bytes.
    pub fn snapshot_bytes(&self) -> u64 {
        self.current
            .with(|replica| Ok(replica.mvcc.bytes()))
            .unwrap_or_default()
    }

    /// Whether a write is likely to succeed soon. Does not try one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the store is closed or recovering. [`StoreError::Stalled`]: the
    /// writer makes no progress.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        self.writer.check_writable()
    }

    /// Counters of the writer, for metrics.
    pub fn writer_statistics(&self) -> WriterStatistics {
        self.writer.statistics()
    }

    /// Finishes all queued commands, then stops the writer and closes the files. Remaining handles
    /// get [`StoreError::Unavailable`].
    pub fn close(&self) {
        self.writer.stop();
    }
}
