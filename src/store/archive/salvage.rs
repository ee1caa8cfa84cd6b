//! Exports whatever can be read of a damaged store.
//!
//! The engine modifies files when it opens them, so it gets a copy. What it can read has checksums
//! and is certain. Where something is missing, `carve` searches the original files for records,
//! which are stored as plain JSON. Those have no checksum and may be deleted or outdated.

mod carve;
mod findings;

use super::{
    ArchiveError, Cancelled, Progress, format, offline, read_only, store_files::copy_with_progress,
    swap,
};
use crate::store::{
    OpenError, StoreError,
    entries::Entry,
    local::open,
    local::{Engine, MissingTree},
    record_kinds::RECORD_KINDS,
    temporary::TemporaryFolder,
    trees::{Counters, Tree},
};
use findings::{Findings, Origin};
use std::{
    fs,
    io::{self, Write},
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The result of [`salvage`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalvageSummary {
    /// Objects written.
    pub objects: u64,
    /// What could not be read or is uncertain, as sentences; empty if nothing is damaged.
    pub warnings: Vec<String>,
}

/// Exports everything that can be read. The store stays locked and unchanged.
///
/// # Errors
/// The store does not exist, is locked or has a newer schema; or the copy or `out` cannot be
/// written.
pub fn salvage(
    folder: &Path,
    cache_bytes: u64,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<SalvageSummary, ArchiveError> {
    if offline::is_missing_or_empty(folder) {
        return Err(OpenError::NotFound(folder.to_owned()).into());
    }

    let _held = offline::lock_store(folder)?;
    let copy = StoreCopy::create(folder, progress)?;
    let findings = Arc::new(Mutex::new(Findings::default()));
    let mut warnings = read_with_engine(folder, &copy, cache_bytes, &findings, progress)?;

    // Frees the space of the copy, of which the output may need a part.
    drop(copy);
    let mut findings = lock(&findings);
    // Carving may find deleted records, so it is left out where nothing is missing.
    if !warnings.is_empty() {
        let shown = findings.len();
        let torn = carve::carve(folder, &mut findings, progress)?;
        warnings.extend(findings.warnings(shown, torn));
    }

    let objects = write(&findings, out).map_err(ArchiveError::Output)?;
    Ok(SalvageSummary { objects, warnings })
}

fn lock(findings: &Mutex<Findings>) -> MutexGuard<'_, Findings> {
    findings.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<u64> {
    format::write_header(out)?;
    for line in &findings.accounts() {
        format::write_account(out, line)?;
    }
    let mut objects = 0_u64;
    for (collection, record) in findings.sorted() {
        format::write_object(out, collection, record)?;
        objects = objects.saturating_add(1);
    }
    out.flush()?;
    Ok(objects)
}

/// A copy of the store, beside it or in a temporary folder if the original is read-only. Removed on
/// drop.
struct StoreCopy {
    folder: PathBuf,
    _temporary: Option<TemporaryFolder>,
}

impl StoreCopy {
    fn create(folder: &Path, progress: &Progress) -> Result<Self, ArchiveError> {
        if !read_only::is_writable(folder) {
            let temporary = TemporaryFolder::create()
                .map_err(ArchiveError::file(folder, "copied to a temporary folder"))?;
            copy_with_progress(folder, &temporary.store(), progress)?;
            return Ok(Self {
                folder: temporary.store(),
                _temporary: Some(temporary),
            });
        }

        let copy = Self {
            folder: swap::salvage_folder(folder),
            _temporary: None,
        };

        match fs::remove_dir_all(&copy.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ArchiveError::file(&copy.folder, "removed")(error));
            }
            _ => {}
        }

        copy_with_progress(folder, &copy.folder, progress)?;
        Ok(copy)
    }
}

impl Drop for StoreCopy {
    fn drop(&mut self) {
        // The next start removes what is left.
        let _ignored = fs::remove_dir_all(&self.folder);
    }
}

/// Reads records through the engine until it fails. Returns warnings.
fn read_with_engine(
    original: &Path,
    copy: &StoreCopy,
    cache_bytes: u64,
    findings: &Arc<Mutex<Findings>>,
    progress: &Progress,
) -> Result<Vec<String>, ArchiveError> {
    let (folder, findings, progress) =
        (copy.folder.clone(), Arc::clone(findings), progress.clone());
    let original = original.to_owned();

    progress.begin("reading", 0);
    let shown = progress.clone();
    let outcome = offline::catch_engine_panic(&copy.folder, move || {
        let (engine, lost) = open::open_unchecked(
            &folder,
            &offline::options(cache_bytes, None),
            MissingTree::TreatAsEmpty,
        )?;
        if let Err(newer @ OpenError::NewerSchema { .. }) =
            open::supported_schema(&original, &engine)
        {
            return Err(newer.into());
        }

        let mut warnings = Vec::new();
        if lost > 0 {
            warnings.push(format!("the last {lost} acknowledged commits are missing"));
        }

        warnings.extend(read_all(&engine, &findings, &progress)?);
        Ok(warnings)
    });

    shown.end();
    match outcome {
        Err(
            error
            @ (ArchiveError::Open(OpenError::NewerSchema { .. }) | ArchiveError::Cancelled(_)),
        ) => Err(error),
        Ok(warnings) => Ok(warnings),
        Err(ArchiveError::Open(OpenError::Damaged { cause, .. })) => Ok(vec![format!(
            "the engine could not open or read the whole store: {cause}"
        )]),
        Err(other) => Ok(vec![format!(
            "the engine could not open the store: {other}"
        )]),
    }
}

fn read_all(
    engine: &Engine,
    findings: &Mutex<Findings>,
    progress: &Progress,
) -> Result<Vec<String>, Cancelled> {
    let mut warnings = Vec::new();
    let everything = (Bound::Unbounded, Bound::Unbounded);
    for entry in engine.range(Tree::Accounts, everything.clone()) {
        let counters = entry.and_then(|(key, value)| Ok((key, Counters::decode(value.as_ref())?)));
        match counters {
            Ok((key, counters)) if lock(findings).add_counters(&key, counters) => {}
            Ok((key, _)) => warnings.push(format!(
                "counters under a malformed key: {:?}",
                String::from_utf8_lossy(&key)
            )),
            Err(error) => {
                warnings.push(format!("cannot read counters: {error}"));
                break;
            }
        }
    }

    for kind in RECORD_KINDS {
        let mut records = engine.range(kind.collection.records, everything.clone());
        let mut failure = read_records(|| records.next(), kind.singular, findings, progress)?;
        if failure.is_some() {
            // Entries after an unreadable one are reachable from the other end.
            failure = read_records(|| records.next_back(), kind.singular, findings, progress)?
                .or(failure);
        }
        warnings.extend(failure);
    }

    warnings.extend(lock(findings).count_mismatches());
    Ok(warnings)
}

/// Reads records to the end or the first error.
fn read_records(
    mut next: impl FnMut() -> Option<Result<Entry, StoreError>>,
    kind: &str,
    findings: &Mutex<Findings>,
    progress: &Progress,
) -> Result<Option<String>, Cancelled> {
    let mut unreadable = 0_u64;
    while let Some(entry) = next() {
        match entry {
            Ok((_, record)) if lock(findings).add(record.as_ref(), Origin::Engine) => {
                progress.advance(1)?
            }
            Ok(_) => unreadable = unreadable.saturating_add(1),
            Err(error) => return Ok(Some(format!("cannot read every {kind}: {error}"))),
        }
    }
    Ok((unreadable > 0).then(|| format!("{unreadable} records cannot be parsed as {kind}")))
}
