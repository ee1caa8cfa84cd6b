//! The files of a store as a whole: their size, and copies of them.

use super::{ArchiveError, Progress};
use crate::store::local::open;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// Bytes copied between two checks for cancellation.
const COPY_CHUNK_BYTES: u64 = 16 << 20;

/// Total size of all files.
pub(super) fn size_on_disk(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?.try_fold(0_u64, |sum, entry| {
        let entry = entry?;
        let bytes = if entry.file_type()?.is_dir() {
            size_on_disk(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
        Ok(sum.saturating_add(bytes))
    })
}

/// Copies all files of a store into a new folder.
pub(super) fn copy_with_progress(
    from: &Path,
    to: &Path,
    progress: &Progress,
) -> Result<(), ArchiveError> {
    progress.begin(
        "copying",
        size_on_disk(from).map_err(ArchiveError::file(from, "read"))?,
    );
    copy_recursively(from, to, progress)?;
    progress.end();
    Ok(())
}

fn copy_recursively(from: &Path, to: &Path, progress: &Progress) -> Result<(), ArchiveError> {
    let (unreadable, unwritable) = (
        ArchiveError::file(from, "read"),
        ArchiveError::file(to, "written"),
    );

    open::create_private_folder(to).map_err(&unwritable)?;
    for entry in fs::read_dir(from).map_err(&unreadable)? {
        let path = entry.map_err(&unreadable)?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_recursively(&path, &target, progress)?;
        } else {
            let mut source = File::open(&path).map_err(&unreadable)?;
            let mut target = File::create(target).map_err(&unwritable)?;
            loop {
                let copied = io::copy(&mut (&mut source).take(COPY_CHUNK_BYTES), &mut target)
                    .map_err(&unwritable)?;
                progress.advance(copied)?;
                if copied < COPY_CHUNK_BYTES {
                    break;
                }
            }
        }
    }

    Ok(())
}
