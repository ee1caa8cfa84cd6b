//! Moving whole stores: out as text (`export`), in again (`import`), as one file with everything
//! (`backup`) and back (`restore`), made anew (`compact`).
//!
//! - `format` is how an export is written, `export` writes it from a snapshot, `import` reads and
//!   judges it.
//! - `backup` has the format of a backup, writes and reads it; `restore` makes a store of it.
//! - `rebuild` makes a new store beside the old one, verifies it, and exchanges the two in one
//!   step. Whatever replaces a store goes through it, so that a kill at any moment leaves one of
//!   the two, whole.
//! - `salvage` writes an export of what can be read of a damaged store.
//! - `stopped` opens a store that no server has.

mod backup;
mod compact;
mod export;
mod file_kind;
mod format;
mod high_water_marks;
mod import;
mod load;
mod offline;
mod progress;
mod read_only;
mod restore;
mod salvage;
mod swap;

pub use backup::{BackupError, backup, backup_steps, verify_backup};
pub use compact::{CompactSummary, compact};
pub use export::{ExportSummary, export, export_lines, relay_export};
pub use import::{ImportIssue, ImportOptions, ImportOutcome, import};
pub use offline::read_offline;
pub use progress::{Cancelled, Progress, STEPS_HEADER, Step};
pub use restore::{RestoreOptions, restore};
pub use salvage::{SalvageSummary, salvage};
pub use swap::remove_leftovers;

pub(super) use high_water_marks::count_live;
pub(super) use load::entries_for_objects;
pub(super) use offline::options as offline_options;
pub(super) use read_only::ReadableStore;

use super::{OpenError, StoreError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a store could not be moved, in a sentence. Nothing was changed, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or folder cannot be used.
    #[error("'{}' cannot be {verb}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was to be done with it: read, written, …
        verb: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// Everything was done, but it is not certain that a power cut would leave it so.
    #[error("the new store is in its position, but '{}' cannot be synced: {source}; do not repeat this, but look after the disk{}", .folder.display(), kept(.old))]
    Unsynced {
        /// Where the name of the store is.
        folder: PathBuf,
        /// The old store, if there was one.
        old: Option<PathBuf>,
        /// What the operating system said.
        source: io::Error,
    },
    /// Whoever gives what is moved breaks off.
    #[error("what the server sent breaks off: {0}; look into its log, and try again")]
    Input(io::Error),
    /// Whoever takes what is moved takes no more of it.
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    /// It was to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Something else is in the way.
    #[error("{0}")]
    Refused(String),
}

/// Where the old store is, for the end of a sentence.
fn kept(old: &Option<PathBuf>) -> String {
    old.as_ref().map_or_else(String::new, |old| {
        format!(
            "; until the next start the old store is in '{}'",
            old.display()
        )
    })
}

impl ArchiveError {
    fn file<'a>(path: &'a Path, verb: &'static str) -> impl Fn(io::Error) -> Self + use<'a> {
        move |source| Self::File {
            path: path.to_owned(),
            verb,
            source,
        }
    }
}
