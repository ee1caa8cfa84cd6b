//! Reads a store that cannot be written, on a read-only mount or of another user.
//!
//! The engine writes whenever it opens a store. So it opens a copy, in a temporary folder that only
//! this user can read, while the original stays locked as the engine would lock it.

use super::{ArchiveError, Progress, store_files::copy_with_progress};
use crate::store::{OpenError, temporary::TemporaryFolder};
use rustix::fs::{Access, access};
use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// A store that the engine can open: the original or a copy.
#[derive(Debug)]
pub(in crate::store) struct ReadableStore {
    original: PathBuf,
    copy: Option<Copy>,
}

#[derive(Debug)]
struct Copy {
    temporary: TemporaryFolder,
    /// Holds the lock. `None` where the file system has no locks.
    _held: Option<File>,
}

impl ReadableStore {
    /// Copies the store if it cannot be written.
    ///
    /// # Errors
    /// The store is locked or cannot be read, or the copy cannot be written.
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
            "copied to a temporary folder, which is necessary because it is read-only",
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

    /// Makes an error about the copy one about the original.
    pub(in crate::store) fn attribute_error(&self, error: OpenError) -> OpenError {
        error.with_folder(&self.original)
    }
}

/// Whether the engine can open the store in place.
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
