//! The memory: objects, their index, counters, on disk before anybody hears of them.
//!
//! - [`Store::write`] runs a function on the one writer thread, inside a transaction that is atomic
//!   and durable when the call returns. Commands that wait at the same time share one disk flush.
//! - [`Store::snapshot`] is a consistent view of the last published commit; [`Store::record`] is
//!   one object of it. Readers never wait for the writer, and never see what a crash could still
//!   take back.
//!
//! Inside: `engine` is the only file that touches sled, `versions` keeps what readers may still
//! see, `writer` groups commits, `collection` lays objects and their index out in trees. Who may
//! see what is decided above, in `service`.

pub mod archive;
mod check;
mod collection;
mod command_queue;
mod dedup;
mod entries;
mod error;
mod handle;
mod idempotency;
mod index;
mod local;
mod mvcc;
mod options;
mod outbox;
mod record_kinds;
mod snapshot;
mod temporary;
mod transaction;
mod trees;
mod writer;
mod writer_state;

pub use check::{CheckFinding, CheckReport, check};
pub use collection::{ALERTS, Collection, INTEGRATIONS, LOGS, ScanDirection};
pub use dedup::DedupKey;
pub use entries::Stored;
pub use error::{OpenError, StallCause, StoreError};
pub use idempotency::IdempotencyRecord;
pub use index::{IndexView, IndexedSnapshot};
pub(crate) use local::open::OPENING_THREAD;
pub use options::{Durability, Options};
pub use outbox::Outbox;
pub use snapshot::{Expiry, Snapshot};
pub use temporary::{TemporaryFolder, sweep_temporary_folders};
pub use transaction::Transaction;
pub use trees::SCHEMA_VERSION;
pub use writer_state::STALL_TIMEOUT;

use crate::domain::{ids::AccountId, list::FieldPath};
use handle::Replica;
use std::{path::Path, sync::Arc};
use writer::WriterThread;

/// The store of one process. Cloning is cheap and gives another handle to the same store.
#[derive(Clone, Debug)]
pub struct Store {
    replica: Arc<Replica>,
    writer: Arc<WriterThread>,
}

impl Store {
    /// Opens the store in `folder`, or makes a new one there.
    ///
    /// # Errors
    /// [`OpenError`], a sentence with the way out: held by another process, not writable, damaged,
    /// of a newer schema.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, OpenError> {
        let replica = Arc::new(Replica::new(
            local::open::open(folder, options)?,
            options.index_bytes,
            options.snapshot_bytes,
        ));
        let writer =
            WriterThread::start(Arc::clone(&replica), folder, options).map_err(|source| {
                OpenError::Io {
                    folder: folder.to_owned(),
                    source,
                }
            })?;

        Ok(Self {
            replica,
            writer: Arc::new(writer),
        })
    }

    /// Runs `command` against the current state and makes what it changed durable, all or nothing.
    ///
    /// The changes of a command that returns an error are dropped; it leaves no trace, not even in
    /// a counter.
    ///
    /// # Errors
    /// The command's own, or a [`StoreError`] when the store has stopped, hangs, or its queue is
    /// full. Then nothing was changed, but for a store that stopped while it wrote: then it is not
    /// known.
    pub async fn write<T, E, F>(&self, command: F) -> Result<T, E>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.run(command).await
    }

    /// A view of the last published commit that stays as it is, however long it is held.
    ///
    /// # Errors
    /// The store is closed, or just being opened anew.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Snapshot::new(&self.replica)
    }

    /// What is known of the account's objects at these places without reading them, built first if
    /// need be, which reads them all. `None` when it does not fit into the memory that it may have.
    ///
    /// # Errors
    /// The store cannot be read, is damaged, or closed.
    pub fn indexed(
        &self,
        collection: Collection,
        account: &AccountId,
        places: &[&FieldPath],
    ) -> Result<Option<IndexedSnapshot>, StoreError> {
        self.replica
            .indexes
            .get_or_build(collection, account, places, || self.snapshot())
    }

    /// The same, if it needs not be built: never takes long.
    ///
    /// # Errors
    /// The store is closed.
    pub fn cached_index(
        &self,
        collection: Collection,
        account: &AccountId,
        places: &[&FieldPath],
    ) -> Result<Option<IndexedSnapshot>, StoreError> {
        self.replica
            .indexes
            .get_cached(collection, account, places, || self.snapshot())
    }

    /// A number that is another one after every change of the account's objects, and now and then
    /// without one. What was read after it was asked for still holds as long as it stays the same.
    pub fn last_change(&self, account: &AccountId) -> u64 {
        self.replica.mvcc.last_change(account)
    }

    /// The object that `id` names in the last published commit, whatever its account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn record(&self, collection: Collection, id: &str) -> Result<Option<Stored>, StoreError> {
        self.replica.read(|engine| {
            let found = engine.get(collection.records, id.as_bytes())?;
            Ok(self
                .replica
                .mvcc
                .published(collection.records, id.as_bytes(), found))
        })
    }

    /// The secret that signs tokens, made when the store was.
    ///
    /// # Errors
    /// The store cannot be read, or lacks the secret.
    pub fn token_secret(&self) -> Result<Vec<u8>, StoreError> {
        let secret = self
            .replica
            .read(|engine| engine.get(trees::Tree::Meta, trees::TOKEN_SECRET))?;
        let secret = secret.filter(|secret| !secret.as_ref().is_empty());
        secret
            .map(|secret| secret.as_ref().to_vec())
            .ok_or_else(|| StoreError::damaged("the token secret is missing"))
    }

    /// Bytes on disk; 0 while the store is closed.
    pub fn size_on_disk(&self) -> u64 {
        self.replica
            .read(|engine| Ok(engine.size_on_disk()))
            .unwrap_or_default()
    }

    /// Bytes of memory for what is known of objects without reading them.
    pub fn index_bytes(&self) -> u64 {
        self.replica.indexes.bytes()
    }

    /// Bytes of memory for values that were changed since somebody began to read.
    pub fn snapshot_bytes(&self) -> u64 {
        self.replica.mvcc.bytes()
    }

    /// Whether a write has a chance to be done soon, without trying one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the store is not open. [`StoreError::Stalled`]: something holds
    /// the writer up.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        self.writer.check_writable()
    }

    /// How the writer is doing, for metrics.
    pub fn writer_statistics(&self) -> WriterStatistics {
        self.writer.statistics()
    }

    /// Ends the writer after everything that waits is done, and lets go of the files. Whoever still
    /// holds a handle is refused from then on.
    pub fn close(&self) {
        self.writer.stop();
    }
}

/// What the writer did since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStatistics {
    /// Commands answered.
    pub commands: u64,
    /// Durable commits; commands that waited together share one.
    pub commits: u64,
    /// Commands that wait.
    pub waiting: u64,
    /// Commands that were refused because too many waited.
    pub refused_full: u64,
    /// Commands that were refused because the store was closed or about to be opened anew.
    pub refused_closed: u64,
    /// Times that the engine failed.
    pub faults: u64,
    /// Times that it was opened anew and works.
    pub recoveries: u64,
    /// Commands that were refused because the writer did not get on.
    pub refused_stalled: u64,
    /// Whether the writer takes commands now.
    pub is_writable: bool,
}
