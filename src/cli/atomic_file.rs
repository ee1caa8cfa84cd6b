//! A file that appears complete or not at all: written under a temporary name, synced, then
//! renamed.

use super::{CliError, store_args::StoreLocation};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A file being written under a temporary name. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    finished: bool,
}

impl AtomicFile {
    /// # Errors
    /// The file cannot be created, or the path is taken by something that must not be replaced.
    pub(super) fn create(location: &StoreLocation, path: &Path) -> Result<Self, CliError> {
        let (path, temporary) = (path.to_owned(), temporary_path(path));
        require_outside(&location.data, &path)?;
        for path in [&path, &temporary] {
            require_free_or_file(path)?;
        }

        let created = create_new(&temporary).map_err(|error| write_error(&path, &error))?;
        Ok(Self {
            path,
            temporary,
            file: BufWriter::with_capacity(1 << 16, created),
            finished: false,
        })
    }

    /// Syncs the file and renames it to its final name.
    pub(super) fn finish(mut self) -> Result<(), CliError> {
        let named = self.rename_to_final_path();
        named.map_err(|error| write_error(&self.path, &error))
    }

    /// The error for a failed write to this file.
    pub(super) fn write_error(&self, error: &io::Error) -> CliError {
        write_error(&self.path, error)
    }

    fn rename_to_final_path(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.finished = true;
        File::open(folder_of(&self.path))?.sync_all()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.finished {
            // A file that remains is replaced by the next run.
            let _ignored = fs::remove_file(&self.temporary);
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Refuses paths inside the data folder, which belongs to the store.
fn require_outside(data: &Path, path: &Path) -> Result<(), CliError> {
    match (data.canonicalize(), folder_of(path).canonicalize()) {
        (Ok(data), Ok(folder)) if folder.starts_with(&data) => {
            let (path, data) = (path.display(), data.display());
            Err(CliError(format!(
                "'{path}' is inside the data folder '{data}'; choose a path outside it"
            )))
        }
        // Opening the file reports a folder that does not exist.
        _ => Ok(()),
    }
}

/// Refuses paths of anything but regular files, since the rename would replace it.
fn require_free_or_file(path: &Path) -> Result<(), CliError> {
    match path.symlink_metadata() {
        Ok(location) if !location.is_file() => Err(CliError(format!(
            "'{}' exists and is not a regular file; choose another path",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".partial");
    temporary.into()
}

/// Creates a file that only this user can read, since it contains secrets. A leftover file is
/// removed first and never written into: another user may have created it and still have it open.
fn create_new(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn write_error(path: &Path, error: &io::Error) -> CliError {
    CliError(format!("'{}' cannot be written: {error}", path.display()))
}
