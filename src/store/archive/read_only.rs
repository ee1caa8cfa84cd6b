//! Reading a store that cannot be written: on a read-only mount, or of another user.
//!
//! The engine cannot open such files, since it writes whenever it opens. So a copy is opened, in a
//! temporary folder that only this user can read, and the store itself is held as the engine would
//! hold it.

use super::{ArchiveError, Progress, salvage::copy_with_progress};
use crate::store::{OpenError, temporary::TemporaryFolder};
use rustix::fs::{Access, access};
use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// A store that can be opened, though perhaps only a copy of the one that is original.
#[derive(Debug)]
pub(in crate::store) struct ReadableStore {
    original: PathBuf,
    copy: Option<Copy>,
}

#[derive(Debug)]
struct Copy {
    temporary: TemporaryFolder,
    /// The lock goes with it. There is none where the file system has no locks.
    _held: Option<File>,
}

impl ReadableStore {
    /// The store in this folder, if it can be written, or else a copy.
    ///
    /// # Errors
    /// Another process has the store, or it cannot be read; or the copy cannot be written.
    pub(in crate::store) fn open(folder: &Path, progress: &Progress) -> Result<Self, ArchiveError> {
        let original = folder.to_owned();
        if is_writable(folder) {
            return Ok(Self {
                original,
                copy: None,
            });
        }

        let _held = lock_shared(folder)?;
        let copy_failed = ArchiveError::file(
            folder,
            "copied to a temporary folder, as it must be since it cannot be written",
        );
        let temporary = TemporaryFolder::create().map_err(copy_failed)?;

        copy_with_progress(folder, &temporary.store(), progress)?;
        Ok(Self {
            original,
            copy: Some(Copy { temporary, _held }),
        })
    }

    /// The folder to open.
    pub(in crate::store) fn folder(&self) -> PathBuf {
        self.copy
            .as_ref()
            .map_or_else(|| self.original.clone(), |copy| copy.temporary.store())
    }

    /// What is wrong with the copy is wrong with the store that is original.
    pub(in crate::store) fn attribute_error(&self, error: OpenError) -> OpenError {
        error.with_folder(&self.original)
    }
}

/// Whether the engine can open the store where it is.
pub(super) fn is_writable(folder: &Path) -> bool {
    [folder, &folder.join("db")].into_iter().all(|path| {
        let refused = access(path, Access::WRITE_OK).err();
        !matches!(
            refused,
            Some(rustix::io::Errno::ROFS | rustix::io::Errno::ACCESS)
        )
    })
}

fn lock_shared(folder: &Path) -> Result<Option<File>, ArchiveError> {
    let db = File::open(folder.join("db")).map_err(ArchiveError::file(folder, "read"))?;
    match db.try_lock_shared() {
        Ok(()) => Ok(Some(db)),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(folder.to_owned()).into()),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {
            lock_shared(folder)
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
