//! Replaces a store by a new one in one atomic step.
//!
//! The new store is built in `store.new` beside `store`, synced, reopened and compared with what
//! was written. Then one system call exchanges the two folders, and `store.new`, now the old store,
//! is removed. A kill before the exchange leaves the old store, one after it the new one; either
//! way `store.new` is garbage that the next start or command removes.

use super::{
    ArchiveError, Progress,
    load::{self, Checksums, Fill},
    offline,
};
use crate::store::{
    OpenError, StoreError,
    entries::Changes,
    local::{Engine, MissingTree, open, schema},
};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The folder of a store, and the staging folder of its successor.
#[derive(Clone, Debug)]
pub(super) struct StoreSwap {
    pub(super) folder: PathBuf,
    staging: PathBuf,
}

/// How to build the new store.
#[derive(Clone, Debug)]
pub(super) struct NewStore {
    pub(super) cache_bytes: u64,
    pub(super) token_secret: String,
    /// Expected number of objects, for progress.
    pub(super) objects: u64,
    /// Whether the caller holds the lock of a store to be replaced. If not, a store that appears
    /// meanwhile is an error.
    pub(super) replaces: bool,
}

impl StoreSwap {
    /// Removes what an interrupted command left. The caller holds the lock of the store in
    /// `folder`, if there is one.
    pub(super) fn prepare(folder: &Path) -> Result<Self, ArchiveError> {
        let swap = Self {
            folder: folder.to_owned(),
            staging: sibling(folder, STAGING_SUFFIX),
        };
        remove_leftover(&swap.staging)?;
        let _ignored = remove_leftover(&sibling(folder, SALVAGE_SUFFIX));
        Ok(swap)
    }

    /// Builds a store from what `fill` writes and puts it in place.
    ///
    /// The caller holds the lock of the old store until this returns. It must then release the lock
    /// and call [`remove_old`](Self::remove_old).
    pub(super) fn rebuild(
        &self,
        new_store: &NewStore,
        progress: &Progress,
        fill: &mut Fill<'_>,
    ) -> Result<Checksums, ArchiveError> {
        let outcome = self
            .make(new_store, progress, fill)
            .and_then(|sums| self.exchange(new_store.replaces).map(|()| sums));
        if outcome.is_err() {
            // The next command removes what is left.
            let _ignored = fs::remove_dir_all(&self.staging);
        }
        let sums = outcome?;
        // Keep the old store until the rename is durable: a power cut may undo it.
        self.sync_names(new_store.replaces)?;
        Ok(sums)
    }

    /// Removes the old store.
    pub(super) fn remove_old(&self) {
        // The next start removes what is left.
        let _ignored = fs::remove_dir_all(&self.staging);
    }

    fn make(
        &self,
        new_store: &NewStore,
        progress: &Progress,
        fill: &mut Fill<'_>,
    ) -> Result<Checksums, ArchiveError> {
        let options = offline::options(new_store.cache_bytes, Some(new_store.token_secret.clone()));
        let new = open::open_on_this_thread(&self.staging, &options)?;
        let written = load::load(&new, new_store.objects, progress, fill)?;

        // End the log with a numbered commit, so that a truncated log is detected.
        new.apply(&Changes::default())?;
        new.sync()?;
        drop(new);

        // Reopened, because only that shows what is in the files and not in the cache.
        let again = self.open_again(new_store.cache_bytes)?;
        progress.begin("verifying", written.entries());
        let read = Checksums::of(&again, progress)?;

        progress.end();
        if let Some(tree) = read.differs_in(&written) {
            let cause = format!(
                "verification failed: tree '{}' of the new store differs from what was written",
                tree.name()
            );
            return Err(StoreError::damaged(cause).into());
        }

        // The source may have an earlier schema.
        schema::migrate(&again)?;
        drop(again);
        // Last: verification and migration write too. The exchange must find everything durable.
        sync_recursively(&self.staging).map_err(ArchiveError::file(&self.staging, "synced"))?;

        Ok(written)
    }

    /// Retries, because the engine's threads may hold the lock for a moment after it was closed.
    fn open_again(&self, cache_bytes: u64) -> Result<Engine, OpenError> {
        let options = offline::options(cache_bytes, None);
        offline::retry_while(
            || open::open_without_migration(&self.staging, &options, MissingTree::Create),
            |outcome| matches!(outcome, Err(OpenError::Locked(_))),
        )
    }

    fn exchange(&self, replaces: bool) -> Result<(), ArchiveError> {
        let flags = if replaces {
            RenameFlags::EXCHANGE
        } else {
            RenameFlags::NOREPLACE
        };

        if !replaces {
            // Fails if the folder is not empty; the rename reports that.
            let _ignored = fs::remove_dir(&self.folder);
        }

        match renameat_with(CWD, &self.staging, CWD, &self.folder, flags) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if flags == RenameFlags::EXCHANGE => {
                return Err(ArchiveError::Refused(format!(
                    "the file system of '{}' cannot exchange two folders atomically; copy the data folder to \
                     another file system, run the command there, and copy it back",
                    self.folder.display()
                )));
            }
            Err(Errno::EXIST) => {
                let folder = self.folder.display();
                return Err(ArchiveError::Refused(format!(
                    "another process created a store in '{folder}' meanwhile; it is unchanged"
                )));
            }
            // Without flags, a folder replaces only a missing or empty one.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::rename(&self.staging, &self.folder)
                    .map_err(ArchiveError::file(&self.folder, "made"))?;
            }
            Err(error) => return Err(ArchiveError::file(&self.folder, "replaced")(error.into())),
        }

        Ok(())
    }

    fn sync_names(&self, replaced: bool) -> Result<(), ArchiveError> {
        let parent = self
            .folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));

        File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(|source| ArchiveError::Unsynced {
                folder: parent.to_owned(),
                old: replaced.then(|| self.staging.clone()),
                source,
            })
    }
}

/// Suffix of the folder in which a new store is built.
const STAGING_SUFFIX: &str = ".new";
/// Suffix of the folder into which a damaged store is copied.
const SALVAGE_SUFFIX: &str = ".salvage";

fn sibling(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    folder.with_file_name(name)
}

/// The folder into which a damaged store is copied.
pub(super) fn salvage_folder(folder: &Path) -> PathBuf {
    sibling(folder, SALVAGE_SUFFIX)
}

/// Removes what interrupted commands left beside the store in `folder`, and returns the paths. The
/// caller holds the store's lock, so no such command is running.
pub fn remove_leftovers(folder: &Path) -> Vec<PathBuf> {
    let leftovers = [STAGING_SUFFIX, SALVAGE_SUFFIX]
        .map(|ending| sibling(folder, ending))
        .into_iter();
    leftovers
        .filter(|path| path.exists() && remove_leftover(path).is_ok())
        .collect()
}

fn remove_leftover(folder: &Path) -> Result<(), ArchiveError> {
    match File::options().write(true).open(folder.join("db")) {
        Ok(db) => match db.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked(folder.to_owned()).into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(ArchiveError::file(folder, "locked")(error));
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(ArchiveError::file(folder, "removed")(error)),
    }

    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ArchiveError::file(folder, "removed")(error))
        }
        _ => Ok(()),
    }
}

/// Syncs a folder and everything in it.
fn sync_recursively(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_recursively(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}
