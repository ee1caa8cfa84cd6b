//! A file that is there whole or not at all: written beside under another name, synced, then
//! renamed.

use super::{Sentence, place::Found};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The file under its other name. What a killed command left is removed.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
    finished: bool,
}

impl Output {
    /// # Errors
    /// It cannot be written, or something is in its place that must not be replaced.
    pub(super) fn create(found: &Found, path: &Path) -> Result<Self, Sentence> {
        let (path, beside) = (path.to_owned(), beside(path));
        is_outside(&found.data, &path)?;
        for path in [&path, &beside] {
            is_free_or_a_file(path)?;
        }

        let created = create_new(&beside).map_err(|error| unwritable(&path, &error))?;
        Ok(Self {
            path,
            beside,
            file: BufWriter::with_capacity(1 << 16, created),
            finished: false,
        })
    }

    /// Gives the file its name. Without this it is removed.
    pub(super) fn finish(mut self) -> Result<(), Sentence> {
        let named = self.give_its_name();
        named.map_err(|error| unwritable(&self.path, &error))
    }

    /// Why something could not be written to it.
    pub(super) fn unwritable(&self, error: &io::Error) -> Sentence {
        unwritable(&self.path, error)
    }

    fn give_its_name(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.beside, &self.path)?;
        self.finished = true;
        File::open(folder_of(&self.path))?.sync_all()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.finished {
            let _left_for_the_next_time = fs::remove_file(&self.beside);
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// What is in the data folder is the program's own.
fn is_outside(data: &Path, path: &Path) -> Result<(), Sentence> {
    match (data.canonicalize(), folder_of(path).canonicalize()) {
        (Ok(data), Ok(folder)) if folder.starts_with(&data) => {
            let (path, data) = (path.display(), data.display());
            Err(Sentence(format!(
                "'{path}' is in the data folder '{data}'; name a file elsewhere"
            )))
        }
        // What is not there is told when it is opened.
        _ => Ok(()),
    }
}

/// Renaming would put a file in the place of whatever else is there.
fn is_free_or_a_file(path: &Path) -> Result<(), Sentence> {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => Err(Sentence(format!(
            "'{}' is there and no regular file; name another",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    beside.into()
}

/// A new file, for this user only: it has secrets. What a killed command left is removed first, and
/// never written into: somebody else may have made it, and still have it open.
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
