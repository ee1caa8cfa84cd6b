//! Builds a store from a backup.

use super::{
    ArchiveError, BackupError, Progress,
    backup::Reader,
    high_water_marks::HighWaterMarks,
    load::Loader,
    offline,
    swap::{NewStore, StoreSwap},
};
use crate::store::{
    OpenError,
    collection::COLLECTIONS,
    local::Engine,
    local::open,
    trees::{self, SCHEMA_VERSION, Tree},
};
use std::{
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
};

/// Options of [`restore`].
#[derive(Clone, Debug)]
pub struct RestoreOptions {
    /// The backup, a regular file.
    pub file: PathBuf,
    /// The folder of the store.
    pub folder: PathBuf,
    /// Cache size for the store, in bytes.
    pub cache_bytes: u64,
    /// Whether an existing store may be replaced.
    pub replace: bool,
}

/// Restores a backup into a new store, or replaces an existing one. TinyIds that the existing store
/// has assigned are not assigned again, if it can be read. Returns the number of entries.
///
/// # Errors
/// The backup is invalid, a store exists that must not be replaced, or a server is using it.
/// Nothing changes.
pub fn restore(task: &RestoreOptions, progress: &Progress) -> Result<u64, ArchiveError> {
    let (task, progress) = (task.clone(), progress.clone());
    offline::catch_engine_panic(&task.folder.clone(), move || {
        let Verified {
            token_secret,
            objects,
        } = verify(&task.file, &progress)?;

        if !task.replace {
            refuse_to_overwrite(&task)?;
        }

        let replaced = Replaced::hold(&task)?;
        let swap = StoreSwap::prepare(&task.folder)?;
        let new_store = NewStore {
            cache_bytes: task.cache_bytes,
            token_secret,
            objects,
            replaces: replaced.is_there,
        };

        let sums = swap.rebuild(&new_store, &progress, &mut |loader| {
            fill(&task.file, replaced.given.clone(), loader)
        })?;

        drop(replaced);
        swap.remove_old();
        Ok(sums.entries())
    })
}

/// One pass verifies the backup; one each writes the keys and the values of the new store.
const NOT_A_REGULAR_FILE: &str = "it must be a regular file, because it is read several times";

/// The result of verifying a backup.
struct Verified {
    /// The secret that signs tokens.
    token_secret: String,
    objects: u64,
}

/// Reads the whole backup.
fn verify(file: &Path, progress: &Progress) -> Result<Verified, ArchiveError> {
    let metadata = File::open(file)
        .and_then(|file| file.metadata())
        .map_err(ArchiveError::file(file, "read"))?;

    if !metadata.is_file() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, NOT_A_REGULAR_FILE);
        return Err(ArchiveError::file(file, "read")(source));
    }

    progress.begin("verifying the backup", metadata.len());
    let (mut schema, mut secret, mut objects) = (None, None, 0_u64);
    for_each(file, progress, |tree, key, value| {
        match (tree, key) {
            (Tree::Meta, trees::SCHEMA) => schema = text(value),
            (Tree::Meta, trees::TOKEN_SECRET) => secret = text(value),
            _ if COLLECTIONS
                .into_iter()
                .any(|collection| tree == collection.records) =>
            {
                objects = objects.saturating_add(1);
            }
            _ => {}
        }

        Ok(())
    })?;
    progress.end();

    match schema.and_then(|schema| schema.parse::<u32>().ok()) {
        Some(schema) if schema > SCHEMA_VERSION => return Err(unusable(file, &BackupError::Newer)),
        Some(_) => {}
        None => {
            return Err(unusable(file, &BackupError::Damaged("no schema version")));
        }
    }

    match secret.filter(|secret| !secret.is_empty()) {
        Some(token_secret) => Ok(Verified {
            token_secret,
            objects,
        }),
        None => Err(unusable(file, &BackupError::Damaged("no token secret"))),
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn unusable(file: &Path, fault: &BackupError) -> ArchiveError {
    ArchiveError::Refused(format!("'{}' {fault}", file.display()))
}

/// Refuses if there is a store that has been used.
fn refuse_to_overwrite(task: &RestoreOptions) -> Result<(), ArchiveError> {
    let folder = &task.folder;
    if offline::is_missing_or_empty(folder) {
        return Ok(());
    }

    match offline::open_existing(folder, task.cache_bytes) {
        Err(OpenError::Uninitialized(_)) => Ok(()),
        Err(held @ OpenError::Locked(_)) => Err(held.into()),
        Ok(_) | Err(_) => Err(ArchiveError::Refused(format!(
            "a store already exists in '{}'; pass --replace to replace it, or choose another folder with --data",
            folder.display()
        ))),
    }
}

/// The existing store, locked.
struct Replaced {
    /// Empty if the store cannot be read or does not exist.
    given: HighWaterMarks,
    /// Whether the folder contains anything.
    is_there: bool,
    _held: Held,
}

/// What keeps the existing store locked.
enum Held {
    Engine { _engine: Box<Engine> },
    File { _file: Option<File> },
}

impl Replaced {
    fn hold(task: &RestoreOptions) -> Result<Self, ArchiveError> {
        // Report a lock held by another process before any other problem.
        drop(offline::lock_store(&task.folder)?);
        let is_there = !offline::is_missing_or_empty(&task.folder);
        let (folder, cache_bytes) = (task.folder.clone(), task.cache_bytes);
        let read = open::catch_engine_panic(&task.folder, move || {
            let engine = offline::open_existing(&folder, cache_bytes)?;
            let given = HighWaterMarks::of(&engine);
            let given = given.map_err(|error| OpenError::Damaged {
                folder: folder.clone(),
                cause: error.to_string(),
            })?;
            Ok((engine, given))
        });

        match read {
            Ok((engine, given)) => Ok(Self {
                given,
                is_there,
                _held: Held::Engine {
                    _engine: Box::new(engine),
                },
            }),
            Err(held @ OpenError::Locked(_)) => Err(held.into()),
            Err(_) => {
                let file = offline::lock_store_with_retry(&task.folder)?;
                Ok(Self {
                    given: HighWaterMarks::default(),
                    is_there,
                    _held: Held::File { _file: file },
                })
            }
        }
    }
}

fn fill(
    file: &Path,
    mut given: HighWaterMarks,
    loader: &mut Loader<'_>,
) -> Result<(), ArchiveError> {
    for_each(file, &Progress::none(), |tree, key, value| match tree {
        Tree::Accounts => {
            given.merge_up_to(key, value, &mut |key, value| loader.put(tree, key, value))
        }
        _ => loader.put(tree, key, value),
    })?;
    given.put_remaining(&mut |key, value| loader.put(Tree::Accounts, key, value))
}

/// Calls `visit` with each entry. Every pass compares the checksum, so the data restored is the
/// data verified.
fn for_each(
    file: &Path,
    progress: &Progress,
    mut visit: impl FnMut(Tree, &[u8], &[u8]) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let input = File::open(file).map_err(ArchiveError::file(file, "read"))?;
    let mut reader = Reader::new(BufReader::with_capacity(1 << 16, input))
        .map_err(|fault| unusable(file, &fault))?;
    let mut shown = 0;
    while let Some((tree, key, value)) = reader.next().map_err(|fault| unusable(file, &fault))? {
        visit(tree, &key, &value)?;
        progress.advance(reader.bytes_read().saturating_sub(shown))?;
        shown = reader.bytes_read();
    }
    progress.advance(reader.bytes_read().saturating_sub(shown))?;
    Ok(())
}
