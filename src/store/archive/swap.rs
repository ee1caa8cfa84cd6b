//! A new store in the position of an old one, in one step.
//!
//! The new one is made in `store.new` beside `store`, synced, opened again and compared with what
//! was put in. Then the two folders change names in one step of the file system, and what is then
//! `store.new` is removed. A kill before that step leaves the old store, one after it the new;
//! either way `store.new` is rubbish, and the next time it is removed.

use super::{
    ArchiveError, Progress,
    load::{self, Checksums, Fill},
    offline,
};
use crate::store::{
    OpenError, StoreError,
    engine::{Changes, Engine, MissingTree},
    open,
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

/// Where a store is, and where its successor is made.
#[derive(Clone, Debug)]
pub(super) struct StoreSwap {
    pub(super) folder: PathBuf,
    staging: PathBuf,
}

/// How the new store is opened.
#[derive(Clone, Debug)]
pub(super) struct NewStore {
    pub(super) cache_bytes: u64,
    pub(super) token_secret: String,
    /// How many there will be, for showing how far it is.
    pub(super) objects: u64,
    /// Whether the caller holds a store that is to be replaced. Without one, none may have come
    /// meanwhile.
    pub(super) replaces: bool,
}

impl StoreSwap {
    /// The caller holds the store in `folder`, if there is one. What earlier attempts left is
    /// removed.
    pub(super) fn prepare(folder: &Path) -> Result<Self, ArchiveError> {
        let swap = Self {
            folder: folder.to_owned(),
            staging: sibling(folder, STAGING_SUFFIX),
        };
        remove_leftover(&swap.staging)?;
        let _in_nobodys_way = remove_leftover(&sibling(folder, SALVAGE_SUFFIX));
        Ok(swap)
    }

    /// Puts a store with what `fill` gives in the position of the old one, or where there is none.
    ///
    /// The caller holds the old store until this returns, and must then let go of it and
    /// [`remove_old`](Self::remove_old) up.
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
            let _left_for_the_next_time = fs::remove_dir_all(&self.staging);
        }
        let sums = outcome?;
        // Until this is done, a power cut may bring the old store back under its name: it stays.
        self.sync_names(new_store.replaces)?;
        Ok(sums)
    }

    /// Removes what was the old store.
    pub(super) fn remove_old(&self) {
        let _left_for_the_next_time = fs::remove_dir_all(&self.staging);
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

        // The last thing in the log is a commit with a number, so that a log that loses its end is
        // recognised.
        new.apply(&Changes::new())?;
        new.sync()?;
        drop(new);

        let again = self.open_again(new_store.cache_bytes)?;
        progress.begin("verifying", written.entries());
        let read = Checksums::of(&again, progress)?;

        progress.end();
        if let Some(tree) = read.differs_in(&written) {
            let cause = format!(
                "'{}' of the new store is not as it was written",
                tree.name()
            );
            return Err(StoreError::damaged(cause).into());
        }

        // What it was filled from may be of an earlier version.
        open::migrate(&again)?;
        drop(again);
        sync_recursively(&self.staging).map_err(ArchiveError::file(&self.staging, "synced"))?;

        Ok(written)
    }

    /// The engine's own threads may hold its files for a moment after it was closed.
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
            let _unless_something_is_in_it = fs::remove_dir(&self.folder);
        }

        match renameat_with(CWD, &self.staging, CWD, &self.folder, flags) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if flags == RenameFlags::EXCHANGE => {
                return Err(ArchiveError::Refused(format!(
                    "the file system of '{}' cannot exchange two folders in one step; copy the data folder to another \
                     one, do it there, and copy it back",
                    self.folder.display()
                )));
            }
            Err(Errno::EXIST) => {
                let folder = self.folder.display();
                return Err(ArchiveError::Refused(format!(
                    "a store was made in '{folder}' meanwhile, which stays as it is"
                )));
            }
            // A folder is only renamed to what is not there, or empty.
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

/// Where a new store is made.
const STAGING_SUFFIX: &str = ".new";
/// Where a damaged one is copied to.
const SALVAGE_SUFFIX: &str = ".salvage";

fn sibling(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    folder.with_file_name(name)
}

/// Where a damaged store is copied to.
pub(super) fn salvage_folder(folder: &Path) -> PathBuf {
    sibling(folder, SALVAGE_SUFFIX)
}

/// Removes what commands left beside the store in `folder` when they were killed, and returns what
/// that was. The caller holds the store, so none of them is at work.
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

/// Makes a folder and all that is in it durable.
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
