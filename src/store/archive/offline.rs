//! A store that no server has: opened for as long as something is done with it, on a thread on
//! which a panic of the engine means that the store is damaged.

use super::{ArchiveError, Progress, ReadableStore};
use crate::store::{
    Durability, OpenError, Options, Snapshot,
    engine::{Engine, MissingTree},
    handle::Replica,
    open,
};
use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

/// Reads a stopped store. It is held meanwhile, so that no server can start on it.
///
/// # Errors
/// There is no store, it is held, it cannot be opened; or what `work` says.
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
        work(&Snapshot::new(&Arc::new(Replica::new(
            engine,
            0,
            u64::MAX,
        )))?)
    });

    read.map_err(|error| match error {
        ArchiveError::Open(error) => readable.attribute_error(error).into(),
        other => other,
    })
}

/// Whether there is a store in the folder, sound or not.
pub(super) fn store_exists(folder: &Path) -> bool {
    folder.join("db").is_file()
}

/// Whether there is nothing at all where a store could be.
pub(super) fn is_missing_or_empty(folder: &Path) -> bool {
    match folder.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Opens a store that is there, and makes none. One of an earlier version stays one: this is for
/// reading.
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

/// Holds the store as the engine does, without opening it: it may be damaged.
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

/// The same, after the engine had it: its own threads may hold the files for a moment after it was
/// closed.
pub(super) fn lock_store_with_retry(folder: &Path) -> Result<Option<File>, ArchiveError> {
    retry_while(
        || lock_store(folder),
        |outcome| matches!(outcome, Err(ArchiveError::Open(OpenError::Locked(_)))),
    )
}

/// Tries until it is `too_early` no more, for two seconds.
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

/// As a store is opened that takes no commands.
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
    }
}

/// Works with the engine on a thread of its own.
pub(super) fn catch_engine_panic<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    open::catch_engine_panic(folder, move || Ok(work()))?
}
