//! Opens a store that no server is using, on a thread on which a panic of the engine means that the
//! store is damaged.

use super::{ArchiveError, Progress, ReadableStore};
use crate::store::{
    Durability, OpenError, Options, Snapshot,
    local::open,
    local::{Engine, MissingTree},
    replica::CurrentReplica,
};
use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    task::Waker,
    thread,
    time::Duration,
};

/// Reads a stopped store, which stays locked meanwhile.
///
/// # Errors
/// The store does not exist, is locked or cannot be opened, or `work` failed.
pub fn read_offline<T: Send + 'static>(
    folder: &Path,
    cache_bytes: u64,
    progress: &Progress,
    work: impl FnOnce(&Snapshot) -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    if !store_exists(folder) {
        return Err(OpenError::NotFound(folder.to_owned()).into());
    }

    let readable = ReadableStore::open(folder, progress)?;
    let opened = readable.folder();
    let read = catch_engine_panic(folder, move || {
        let engine = open_existing(&opened, cache_bytes)?;
        let current =
            CurrentReplica::new(engine, &options(cache_bytes, None), Waker::noop().clone());
        work(&Snapshot::new(current.acquire()?))
    });

    read.map_err(|error| match error {
        ArchiveError::Open(error) => readable.attribute_error(error).into(),
        other => other,
    })
}

/// Whether the folder contains a store, damaged or not.
pub(super) fn store_exists(folder: &Path) -> bool {
    folder.join("db").is_file()
}

pub(super) fn is_missing_or_empty(folder: &Path) -> bool {
    match folder.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Opens an existing store for reading. Does not migrate it.
pub(super) fn open_existing(folder: &Path, cache_bytes: u64) -> Result<Engine, OpenError> {
    if !store_exists(folder) {
        return Err(OpenError::NotFound(folder.to_owned()));
    }
    open::open_without_migration(
        folder,
        &options(cache_bytes, None),
        MissingTree::TreatAsEmpty,
    )
}

/// Takes the engine's lock without opening the store, which may be damaged.
pub(super) fn lock_store(folder: &Path) -> Result<Option<File>, ArchiveError> {
    let db = match File::open(folder.join("db")) {
        Ok(db) => db,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ArchiveError::file(folder, "opened")(error)),
    };
    match db.try_lock() {
        Ok(()) => Ok(Some(db)),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(folder.to_owned()).into()),
        Err(TryLockError::Error(error)) => Err(ArchiveError::file(folder, "locked")(error)),
    }
}

/// Takes the lock after the engine was closed: its threads may hold it for another moment.
pub(super) fn lock_store_with_retry(folder: &Path) -> Result<Option<File>, ArchiveError> {
    retry_while(
        || lock_store(folder),
        |outcome| matches!(outcome, Err(ArchiveError::Open(OpenError::Locked(_)))),
    )
}

/// Retries for up to two seconds while `too_early` holds.
pub(super) fn retry_while<T>(attempt: impl Fn() -> T, too_early: impl Fn(&T) -> bool) -> T {
    const MAX_ATTEMPTS: u32 = 400;
    for _ in 0..MAX_ATTEMPTS {
        let outcome = attempt();
        if !too_early(&outcome) {
            return outcome;
        }
        thread::sleep(Duration::from_millis(5));
    }
    attempt()
}

/// Options for a store that runs no commands.
pub(in crate::store) fn options(cache_bytes: u64, token_secret: Option<String>) -> Options {
    let durability = Durability::Synced;
    Options {
        cache_bytes,
        index_bytes: 0,
        snapshot_bytes: u64::MAX,
        queue: 1,
        batch: 1,
        durability,
        token_secret,
        contention: None,
    }
}

/// Runs `work` on a thread of its own; see [`open::catch_engine_panic`].
pub(super) fn catch_engine_panic<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    open::catch_engine_panic(folder, move || Ok(work()))?
}
