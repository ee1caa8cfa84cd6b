//! A file that is there whole or not at all: written beside under another name, synced, then renamed.

use super::Sentence;
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Who may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// Whoever may read what this user writes.
    AsUsual,
    /// This user only.
    Owner,
}

/// The file under its other name. What a killed command left is overwritten.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    pub(super) fn create(path: &Path, readers: Readers) -> Result<Self, Sentence> {
        let (path, beside) = (path.to_owned(), beside(path));
        let created = open(&beside, readers).map_err(|error| unwritable(&path, &error))?;
        Ok(Self { path, beside, file: BufWriter::with_capacity(1 << 16, created) })
    }

    /// Gives the file its name if it was written to its end, and else removes it.
    pub(super) fn conclude<T>(path: &Path, written: Result<(T, Self), Sentence>) -> Result<T, Sentence> {
        let concluded = written.and_then(|(outcome, output)| output.finish().map(|()| outcome));
        if concluded.is_err() {
            let _was_not_made = fs::remove_file(beside(path));
        }
        concluded
    }

    fn finish(self) -> Result<(), Sentence> {
        let Self { path, beside, file } = self;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let finished = file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&beside, &path))
            .and_then(|()| File::open(folder)?.sync_all());
        finished.map_err(|error| unwritable(&path, &error))
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    beside.into()
}

fn open(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    match readers {
        Readers::AsUsual => options.open(path),
        Readers::Owner => {
            let file = options.mode(0o600).open(path)?;
            // What a killed command left may have been made by another.
            file.set_permissions(Permissions::from_mode(0o600))?;
            Ok(file)
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Sentence {
    Sentence(format!("'{}' cannot be written: {error}", path.display()))
}
