//! Opening a store: making a new one, and telling in a sentence why an old one cannot be used.

use super::{
    OpenError, StoreError,
    engine::{Changes, Disk, Engine, MissingTree},
    record_kinds::{self, SecondaryKey},
    repair,
    trees::{self, SCHEMA_VERSION, Tree},
};
use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt, path::Path, thread};

/// Whether what is written must survive the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is synced to disk before it is answered.
    Synced,
    /// Nothing is synced: the store goes away with the process.
    Ephemeral,
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of memory for what is read often.
    pub cache_bytes: u64,
    /// Bytes of memory for what is known of objects without reading them; 0 for none.
    pub index_bytes: u64,
    /// Bytes of memory for values that were changed since somebody began to read; beyond, whoever
    /// began first is stopped.
    pub snapshot_bytes: u64,
    /// Commands that may wait for the writer; one more is refused.
    pub queue: usize,
    /// Commands that may share one commit. More than 64 made the engine fail to open after a power
    /// cut.
    pub batch: usize,
    /// Whether commits are synced.
    pub durability: Durability,
    /// The secret that will sign tokens, should a store have to be made; without one, none is made.
    pub token_secret: Option<String>,
}

pub(super) fn open(folder: &Path, options: &Options) -> Result<Engine, OpenError> {
    let (own_folder, options) = (folder.to_owned(), options.clone());
    catch_engine_panic(folder, move || open_on_this_thread(&own_folder, &options))
}

/// Opens on this thread, which should be a [`catch_engine_panic`] one. A store of an earlier
/// version becomes one of this one.
pub(super) fn open_on_this_thread(folder: &Path, options: &Options) -> Result<Engine, OpenError> {
    let engine = open_without_migration(folder, options, MissingTree::Create)?;
    migrate(&engine).map_err(|error| damaged(folder, &error))?;
    Ok(engine)
}

/// The same, but a store of an earlier version stays one.
pub(super) fn open_without_migration(
    folder: &Path,
    options: &Options,
    missing: MissingTree,
) -> Result<Engine, OpenError> {
    let (engine, missing) = open_unchecked(folder, options, missing)?;
    if missing > 0 {
        let cause = format!("its last {missing} commits, which were acknowledged, cannot be read");
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

/// The schema version, if something was ever written.
///
/// # Errors
/// It is one that this program does not know, or none at all.
pub(super) fn supported_schema(folder: &Path, engine: &Engine) -> Result<Option<u32>, OpenError> {
    match schema(engine).map_err(|error| damaged(folder, &error))? {
        Some(found) if found > SCHEMA_VERSION => Err(OpenError::NewerSchema {
            folder: folder.to_owned(),
            found,
            known: SCHEMA_VERSION,
        }),
        found => Ok(found),
    }
}

/// Opens what the engine can open, and tells how many commits that were acknowledged are missing.
pub(super) fn open_unchecked(
    folder: &Path,
    options: &Options,
    missing: MissingTree,
) -> Result<(Engine, u64), OpenError> {
    let unusable = |source| OpenError::Io {
        folder: folder.to_owned(),
        source,
    };

    create_private_folder(folder).map_err(unusable)?;
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

/// Makes a folder, and those above it, for this user only: the store has the secret that signs
/// tokens, and whatever clients put into their objects. One that is there stays as it is.
pub(super) fn create_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn open_sled(folder: &Path, options: &Options) -> Result<sled::Db, OpenError> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(options.cache_bytes)
        .segment_size(repair::segment_size(folder))
        // We flush; a second flusher would only get in the way.
        .flush_every_ms(None);
    config.open().map_err(|error| match error {
        sled::Error::Io(error) => lock_error(folder, error),
        other => OpenError::Damaged {
            folder: folder.to_owned(),
            cause: other.to_string(),
        },
    })
}

/// Reads what may be damaged: sled panics on some files, on this thread or, by a broken channel,
/// through another. The thread's name keeps the panic hook quiet: what is to be said is said in the
/// error.
pub(super) fn catch_engine_panic<T: Send + 'static>(
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
        let cause = "the storage engine could not make sense of its files".to_owned();
        Err(OpenError::Damaged {
            folder: folder.to_owned(),
            cause,
        })
    })
}

/// The name of the thread on which a panic means a damaged store and nothing else.
pub(crate) const OPENING_THREAD: &str = "store-open";

fn lock_error(folder: &Path, error: io::Error) -> OpenError {
    let folder = folder.to_owned();
    // sled wraps the lock's refusal into another kind of error and keeps only its text.
    let text = error.to_string();

    match text.split_once("could not acquire lock on ") {
        Some((_, why)) if why.contains("kind: WouldBlock") => OpenError::Locked(folder),
        // As network file systems answer that have no locks.
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

/// The message of the operating system in an error that was written for programmers.
fn os_message(error: &str) -> &str {
    let message = error
        .split_once("message: \"")
        .and_then(|(_, rest)| rest.split_once('"'));
    message.map_or(error, |(message, _)| message)
}

/// The schema version, or `None` for a store in which nothing was ever written.
pub(super) fn schema(engine: &Engine) -> Result<Option<u32>, StoreError> {
    let Some(found) = engine.get(Tree::Meta, trees::SCHEMA)? else {
        return match Tree::ALL.into_iter().find(|tree| !is_empty(engine, *tree)) {
            None => Ok(None),
            Some(tree) => Err(StoreError::damaged(format!(
                "it has no schema version though '{}' is not empty",
                tree.name()
            ))),
        };
    };

    let version = std::str::from_utf8(found.as_ref())
        .ok()
        .and_then(|text| text.parse().ok());

    version
        .map(Some)
        .ok_or_else(|| StoreError::damaged("its schema version is not a number"))
}

fn is_empty(engine: &Engine, tree: Tree) -> bool {
    engine
        .range(
            tree,
            (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded),
        )
        .next()
        .is_none()
}

/// Brings a store of an earlier version up to this one. Version 2 has more trees, which opening has
/// made; one of them tells which integrations send.
pub(super) fn migrate(engine: &Engine) -> Result<(), StoreError> {
    if schema(engine)?.is_none_or(|found| found >= SCHEMA_VERSION) {
        return Ok(());
    }

    let version = SCHEMA_VERSION.to_string().into_bytes();
    let mut changes = Changes::from([((Tree::Meta, trees::SCHEMA.to_vec()), Some(version.into()))]);
    let everything = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);

    for entry in engine.range(Tree::Integrations, everything) {
        let (_, record) = entry?;
        // What cannot be read is for `check` to name.
        if let Some(SecondaryKey { tree, key }) = record_kinds::integration(record.as_ref())
            .ok()
            .and_then(|meta| meta.secondary_key)
        {
            changes.insert((tree, key), Some(Vec::new().into()));
        }
    }

    engine.apply(&changes)?;
    engine.sync()
}

fn initialise(engine: &Engine, token_secret: &str) -> Result<(), StoreError> {
    let changes = Changes::from([
        (
            (Tree::Meta, trees::SCHEMA.to_vec()),
            Some(SCHEMA_VERSION.to_string().into_bytes().into()),
        ),
        (
            (Tree::Meta, trees::TOKEN_SECRET.to_vec()),
            Some(token_secret.as_bytes().to_vec().into()),
        ),
    ]);
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
        }
    }

    #[test]
    fn a_lock_that_is_held_is_told_from_one_that_the_file_system_does_not_have() {
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

    /// The engine makes its segments as long as it is told, and refuses a store that was made with
    /// others.
    #[test]
    fn a_store_of_earlier_segments_opens() {
        let older = tempfile::tempdir().unwrap();
        drop(
            sled::Config::new()
                .path(older.path())
                .segment_size(1 << 19)
                .open()
                .unwrap(),
        );

        // The engine's own threads hold its lock until they have ended.
        let opened = std::iter::repeat_with(|| open(older.path(), &options()));
        let opened = opened
            .take(100_000)
            .find(|opened| !matches!(opened, Err(OpenError::Locked(_))));

        drop(opened.unwrap().unwrap());
    }
}
