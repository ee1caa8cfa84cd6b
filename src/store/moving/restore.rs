//! Making a store of a backup.

use super::{
    BackupFault, MoveError, Progress,
    backup::Reader,
    load::Loader,
    rebuild::{Making, Site},
    stopped,
};
use crate::store::{
    OpenError,
    trees::{self, SCHEMA_VERSION, Tree},
};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

/// What is to be restored, and where.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// The store.
    pub folder: PathBuf,
    /// Bytes of memory for the store.
    pub cache_bytes: u64,
    /// Whether a store that is there may be replaced.
    pub replace: bool,
}

/// Puts a store with what the backup holds where there is none, or in the place of the one that is there. Returns the number of
/// entries.
///
/// # Errors
/// The backup is not whole; there is a store that must not be replaced, or a server has it. Nothing was changed.
pub fn restore(task: &Restore, progress: &Progress) -> Result<u64, MoveError> {
    let (task, progress) = (task.clone(), progress.clone());
    stopped::guarded(&task.folder.clone(), move || {
        let token_secret = verify(&task.file, &progress)?;
        if !task.replace {
            nothing_is_lost(&task)?;
        }
        let held = stopped::hold(&task.folder)?;
        let site = Site::of(&task.folder)?;
        let making = Making { cache_bytes: task.cache_bytes, token_secret };
        let sums = site.rebuild(&making, &progress, &mut |loader| fill(&task.file, loader))?;
        drop(held);
        site.clear();
        Ok(sums.entries())
    })
}

/// Reads all of it, and returns the secret that signs tokens.
fn verify(file: &Path, progress: &Progress) -> Result<String, MoveError> {
    let length = File::open(file).and_then(|file| file.metadata()).map_err(MoveError::file(file, "read"))?.len();
    progress.begin("verifying the backup", length);
    let (mut schema, mut secret) = (None, None);
    for_each(file, progress, |tree, key, value| {
        match (tree, key) {
            (Tree::Meta, trees::SCHEMA) => schema = text(value),
            (Tree::Meta, trees::TOKEN_SECRET) => secret = text(value),
            _ => {}
        }
        Ok(())
    })?;
    progress.end();
    match schema.and_then(|schema| schema.parse::<u32>().ok()) {
        Some(schema) if schema > SCHEMA_VERSION => return Err(unusable(file, &BackupFault::Newer)),
        Some(_) => {}
        None => return Err(unusable(file, &BackupFault::Damaged("it has no schema version"))),
    }
    secret
        .filter(|secret| !secret.is_empty())
        .ok_or_else(|| unusable(file, &BackupFault::Damaged("it has no token secret")))
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn unusable(file: &Path, fault: &BackupFault) -> MoveError {
    MoveError::Refused(format!("'{}' {fault}", file.display()))
}

/// Whether nothing, or nothing worth keeping, is where the store is to be.
fn nothing_is_lost(task: &Restore) -> Result<(), MoveError> {
    let folder = &task.folder;
    if stopped::is_absent(folder) {
        return Ok(());
    }
    match stopped::open_existing(folder, task.cache_bytes) {
        Err(OpenError::NeverUsed(_)) => Ok(()),
        Err(held @ OpenError::Held(_)) => Err(held.into()),
        Ok(_) | Err(_) => Err(MoveError::Refused(format!(
            "there is a store in '{}' already; say --replace to put the backup in its place, or choose another folder with --data",
            folder.display()
        ))),
    }
}

fn fill(file: &Path, loader: &mut Loader<'_>) -> Result<(), MoveError> {
    for_each(file, &Progress::none(), |tree, key, value| loader.put(tree, key, value))
}

/// Shows each entry. The digest is compared each time, so what was verified is what is restored.
fn for_each(
    file: &Path,
    progress: &Progress,
    mut visit: impl FnMut(Tree, &[u8], &[u8]) -> Result<(), MoveError>,
) -> Result<(), MoveError> {
    let input = File::open(file).map_err(MoveError::file(file, "read"))?;
    let input = Counting { input: BufReader::with_capacity(1 << 16, input), progress };
    let mut reader = Reader::new(input).map_err(|fault| unusable(file, &fault))?;
    while let Some((tree, key, value)) = reader.next().map_err(|fault| unusable(file, &fault))? {
        visit(tree, &key, &value)?;
    }
    Ok(())
}

/// Tells how much was read.
struct Counting<'a, R> {
    input: R,
    progress: &'a Progress,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.progress.advance(u64::try_from(read).unwrap_or_default());
        Ok(read)
    }
}
