//! Whole stores in and out: `export` and `import` as text, `backup` and `restore` as one file with
//! everything, `compact`, and `salvage`.
//!
//! - `format` is the text format of exports; `export` writes it from a snapshot, `import` validates
//!   and reads it.
//! - `backup` defines, writes and reads the backup format; `restore` builds a store from it.
//! - `swap` builds a new store beside the old one, verifies it, and exchanges the two in one atomic
//!   step. Every command that replaces a store uses it, so a kill at any moment leaves one of the
//!   two intact.
//! - `salvage` exports whatever can be read of a damaged store.
//! - `offline` opens a store that no server is using.

mod backup;
mod compact;
mod export;
mod file_kind;
mod format;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod high_water_marks;
mod import;
mod load;
mod offline;
mod progress;
mod read_only;
mod restore;
mod salvage;
mod store_files;
mod swap;

pub use backup::{BackupError, backup, backup_steps, verify_backup};
pub use compact::{CompactSummary, compact};
pub use export::{ExportSummary, export, export_account, export_lines, relay_export};
pub use import::{ImportIssue, ImportOptions, ImportOutcome, import, read_accounts};
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

/// Why a command on a whole store failed. The store is unchanged unless the message says otherwise.
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
        /// What was attempted, as a participle: read, written, …
        verb: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The new store is in place, but may not survive a power cut.
    #[error("the new store is in place, but '{}' cannot be synced: {source}; do not repeat the command, check the disk{}", .folder.display(), kept(.old))]
    Unsynced {
        /// The parent folder of the store.
        folder: PathBuf,
        /// The old store, if there was one.
        old: Option<PathBuf>,
        /// What the operating system said.
        source: io::Error,
    },
    /// The connection to the server broke off.
    #[error("the connection to the server broke off: {0}; check its log and try again")]
    Input(io::Error),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(io::Error),
    /// A signal cancelled the command.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A precondition does not hold.
    #[error("{0}")]
    Refused(String),
}

/// Where the old store is, to end a message with.
fn kept(old: &Option<PathBuf>) -> String {
    old.as_ref().map_or_else(String::new, |old| {
        format!(
            "; the old store stays in '{}' until the next start",
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
