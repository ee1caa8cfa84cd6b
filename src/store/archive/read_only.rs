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

/// A store that can be opened, though perhaps only a copy of the one that is meant.
#[derive(Debug)]
pub(in crate::store) struct Readable {
    meant: PathBuf,
    copy: Option<Copy>,
}

#[derive(Debug)]
struct Copy {
    temporary: TemporaryFolder,
    /// The lock goes with it. There is none where the file system has no locks.
    _held: Option<File>,
}

impl Readable {
    /// The store in this folder, if it can be written, or else a copy.
    ///
    /// # Errors
    /// Another process has the store, or it cannot be read; or the copy cannot be written.
    pub(in crate::store) fn of(folder: &Path, progress: &Progress) -> Result<Self, ArchiveError> {
        let meant = folder.to_owned();
        if can_be_written(folder) {
            return Ok(Self { meant, copy: None });
        }

        let _held = hold(folder)?;
        let unmade = ArchiveError::file(
            folder,
            "copied to a temporary folder, as it must be since it cannot be written",
        );
        let temporary = TemporaryFolder::create().map_err(unmade)?;

        copy_with_progress(folder, &temporary.store(), progress)?;
        Ok(Self {
            meant,
            copy: Some(Copy { temporary, _held }),
        })
    }

    /// The folder to open.
    pub(in crate::store) fn folder(&self) -> PathBuf {
        self.copy
            .as_ref()
            .map_or_else(|| self.meant.clone(), |copy| copy.temporary.store())
    }

    /// What is wrong with the copy is wrong with the store that is meant.
    pub(in crate::store) fn fault(&self, error: OpenError) -> OpenError {
        error.with_folder(&self.meant)
    }
}

/// Whether the engine can open the store where it is.
pub(super) fn can_be_written(folder: &Path) -> bool {
    [folder, &folder.join("db")].into_iter().all(|path| {
        let refused = access(path, Access::WRITE_OK).err();
        !matches!(
            refused,
            Some(rustix::io::Errno::ROFS | rustix::io::Errno::ACCESS)
        )
    })
}

fn hold(folder: &Path) -> Result<Option<File>, ArchiveError> {
    let db = File::open(folder.join("db")).map_err(ArchiveError::file(folder, "read"))?;
    match db.try_lock_shared() {
        Ok(()) => Ok(Some(db)),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(folder.to_owned()).into()),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {
            hold(folder)
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
