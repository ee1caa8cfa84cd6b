//! A file that is there whole or not at all: written beside under another name, synced, then renamed.

use super::Sentence;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// The file under its other name. What a killed command left is overwritten.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    pub(super) fn create(path: &Path) -> Result<Self, Sentence> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".partial");
        let beside = PathBuf::from(beside);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside);
        let file = file.map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), beside, file: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Gives the file its name, once it is on disk.
    pub(super) fn finish(self) -> Result<(), Sentence> {
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

    /// Removes what was written: it is not what was asked for.
    pub(super) fn discard(beside_of: &Path) {
        let mut beside = beside_of.as_os_str().to_owned();
        beside.push(".partial");
        let _already_gone = fs::remove_file(beside);
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
