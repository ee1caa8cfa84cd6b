//! Opens a store, creates a new one, migrates an old one, and explains why one cannot be opened.

use super::{Engine, MissingTree, disk::Disk, repair, schema};
use crate::store::{
    Durability, OpenError, Options, StoreError,
    entries::{Changes, Stored},
    trees::{self, SCHEMA_VERSION, Tree},
};
use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt, path::Path, thread};

/// Opens a store on a thread of its own; see [`catch_engine_panic`].
pub(in crate::store) fn open(folder: &Path, options: &Options) -> Result<Engine, OpenError> {
    let (own_folder, options) = (folder.to_owned(), options.clone());
    catch_engine_panic(folder, move || open_on_this_thread(&own_folder, &options))
}

/// Opens a store on this thread, which must be one of [`catch_engine_panic`]. Creates and migrates
/// it if necessary.
pub(in crate::store) fn open_on_this_thread(
    folder: &Path,
    options: &Options,
) -> Result<Engine, OpenError> {
    let engine = open_without_migration(folder, options, MissingTree::Create)?;
    schema::migrate(&engine).map_err(|error| damaged(folder, &error))?;
    Ok(engine)
}

/// Opens a store and leaves its schema as it is.
pub(in crate::store) fn open_without_migration(
    folder: &Path,
    options: &Options,
    missing: MissingTree,
) -> Result<Engine, OpenError> {
    let (engine, missing) = open_unchecked(folder, options, missing)?;
    if missing > 0 {
        let cause = format!("its last {missing} acknowledged commits are missing");
        return Err(OpenError::Damaged {
            folder: folder.to_owned(),
            cause,
        });
    }

    match (supported_schema(folder, &engine)?, &options.token_secret) {
        (Some(_), _) => {}
        (None, Some(token_secret)) => {
            initialise(&engine, token_secret).map_err(|error| damaged(folder, &error))?;
        }
        (None, None) => return Err(OpenError::Uninitialized(folder.to_owned())),
    }

    Ok(engine)
}

fn damaged(folder: &Path, error: &StoreError) -> OpenError {
    OpenError::Damaged {
        folder: folder.to_owned(),
        cause: error.to_string(),
    }
}

/// The schema version; `None` if nothing was ever written.
///
/// # Errors
/// The schema is newer than this program, or the store is damaged.
pub(in crate::store) fn supported_schema(
    folder: &Path,
    engine: &Engine,
) -> Result<Option<u32>, OpenError> {
    match schema::version(engine).map_err(|error| damaged(folder, &error))? {
        Some(found) if found > SCHEMA_VERSION => Err(OpenError::NewerSchema {
            folder: folder.to_owned(),
            found,
            known: SCHEMA_VERSION,
        }),
        found => Ok(found),
    }
}

/// Opens whatever the engine can open. Returns the number of acknowledged commits that are missing,
/// too.
pub(in crate::store) fn open_unchecked(
    folder: &Path,
    options: &Options,
    missing: MissingTree,
) -> Result<(Engine, u64), OpenError> {
    let unusable = |source| OpenError::Io {
        folder: folder.to_owned(),
        source,
    };

    create_private_folder(folder).map_err(unusable)?;
    // Before the engine looks at the files: it would refuse them for a damaged snapshot.
    repair::repair(folder).map_err(unusable)?;
    let db = open_sled(folder, options)?;
    let disk = match options.durability {
        Durability::Synced => Some(Disk::open(folder).map_err(unusable)?),
        Durability::Ephemeral => None,
    };

    let engine = Engine::new(db, disk, missing).map_err(|error| damaged(folder, &error))?;
    let missing = engine.missing_commits().map_err(unusable)?;
    Ok((engine, missing))
}

/// Creates a folder, and those above it, for this user only: the store contains the token secret
/// and all of the clients' data. An existing folder keeps its mode.
pub(in crate::store) fn create_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn open_sled(folder: &Path, options: &Options) -> Result<sled::Db, OpenError> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(options.cache_bytes)
        .segment_size(repair::segment_size(folder))
        // Commits flush; a background flusher would only interfere.
        .flush_every_ms(None);
    config.open().map_err(|error| match error {
        sled::Error::Io(error) => lock_error(folder, error),
        other => OpenError::Damaged {
            folder: folder.to_owned(),
            cause: other.to_string(),
        },
    })
}

/// Runs work that reads files which may be damaged, on a thread of its own. sled panics on some
/// files, directly or through a thread of its own. The thread's name keeps the panic hook quiet:
/// the error says everything.
pub(in crate::store) fn catch_engine_panic<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let outcome = thread::Builder::new()
        .name(OPENING_THREAD.into())
        .spawn(work)
        .map_err(|source| OpenError::Io {
            folder: folder.to_owned(),
            source,
        })?
        .join();

    outcome.unwrap_or_else(|_panic| {
        let cause = "the storage engine crashed while reading its files".to_owned();
        Err(OpenError::Damaged {
            folder: folder.to_owned(),
            cause,
        })
    })
}

/// The name of the threads on which a panic means a damaged store and nothing else.
pub(crate) const OPENING_THREAD: &str = "store-open";

fn lock_error(folder: &Path, error: io::Error) -> OpenError {
    let folder = folder.to_owned();
    // sled wraps the error of the lock into another kind and keeps only its text.
    let text = error.to_string();

    match text.split_once("could not acquire lock on ") {
        Some((_, why)) if why.contains("kind: WouldBlock") => OpenError::Locked(folder),
        // Network file systems without locks return this.
        Some((_, why)) => OpenError::NoLocks {
            folder,
            cause: os_message(why).to_owned(),
        },
        None => OpenError::Io {
            folder,
            source: error,
        },
    }
}

/// The message of the operating system, out of an error in debug format.
fn os_message(error: &str) -> &str {
    let message = error
        .split_once("message: \"")
        .and_then(|(_, rest)| rest.split_once('"'));
    message.map_or(error, |(message, _)| message)
}

fn initialise(engine: &Engine, token_secret: &str) -> Result<(), StoreError> {
    let mut changes = Changes::default();
    let mut put = |key: &[u8], value: &str| {
        let value = Stored::from(value.as_bytes().to_vec());
        changes.insert(Tree::Meta, key.to_vec(), Some(value));
    };
    put(trees::SCHEMA, &SCHEMA_VERSION.to_string());
    put(trees::TOKEN_SECRET, token_secret);

    engine.apply(&changes)?;

    engine.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            cache_bytes: 1 << 20,
            index_bytes: 0,
            snapshot_bytes: 1 << 20,
            queue: 1,
            batch: 1,
            durability: Durability::Synced,
            token_secret: Some("secret".into()),
            contention: None,
        }
    }

    #[test]
    fn a_held_lock_is_told_from_missing_lock_support() {
        let by_sled = |errno: i32| {
            let text = format!(
                "could not acquire lock on \"db\": {:?}",
                io::Error::from_raw_os_error(errno)
            );
            lock_error(Path::new("data"), io::Error::other(text))
        };

        let (again, no_locks) = (rustix::io::Errno::WOULDBLOCK, rustix::io::Errno::NOLCK);
        assert!(matches!(
            by_sled(again.raw_os_error()),
            OpenError::Locked(_)
        ));
        let fault = by_sled(no_locks.raw_os_error()).to_string();

        assert!(
            fault.contains("refuses the lock") && fault.contains("(No locks available)"),
            "{fault}"
        );
    }

    /// The engine refuses a store whose segment size differs from the configured one.
    #[test]
    fn a_store_with_legacy_segments_opens() {
        let older = tempfile::tempdir().unwrap();
        drop(
            sled::Config::new()
                .path(older.path())
                .segment_size(1 << 19)
                .open()
                .unwrap(),
        );

        // The engine's threads hold its lock until they end.
        let opened = std::iter::repeat_with(|| open(older.path(), &options()));
        let opened = opened
            .take(100_000)
            .find(|opened| !matches!(opened, Err(OpenError::Locked(_))));

        drop(opened.unwrap().unwrap());
    }
}
