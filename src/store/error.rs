//! Errors of the store: faults of the machine, as opposed to those of the caller.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// A commit or batch that takes longer counts as stalled.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(5);

/// An error of a running store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is closed, or a commit failed and recovery has not finished yet.
    #[error("the store is unavailable: it is closed or recovering from a failure")]
    Unavailable,
    /// The command queue is full. Nothing was changed.
    #[error("the write queue is full")]
    QueueFull,
    /// The writer has made no progress for [`STALL_TIMEOUT`]. Nothing was changed.
    #[error("{0} for {seconds} seconds or more", seconds = STALL_TIMEOUT.as_secs())]
    Stalled(StallCause),
    /// More has changed since the snapshot was taken than the memory budget holds.
    #[error("the snapshot expired: changes since it was taken exceed store.snapshot_bytes")]
    SnapshotExpired,
    /// The account has used up its tinyIds. Nothing was changed.
    #[error("the account has used up its tinyIds")]
    TinyIdsExhausted,
    /// The store contains data that this program cannot have written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The storage engine failed.
    #[error("the storage engine failed: {0}")]
    Engine(Arc<dyn Error + Send + Sync>),
    /// A file of the store could not be synced to disk.
    #[error("cannot sync the store to disk: {0}")]
    Sync(Arc<io::Error>),
}

impl StoreError {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// Whether the engine is unusable until it has been reopened. Damaged data stays damaged, so
    /// reopening does not help there.
    pub(super) fn is_fatal(&self) -> bool {
        match self {
            Self::Engine(_) | Self::Sync(_) => true,
            Self::Damaged(_)
            | Self::Unavailable
            | Self::Stalled(_)
            | Self::QueueFull
            | Self::SnapshotExpired
            | Self::TinyIdsExhausted => false,
        }
    }

    /// Whether the condition passes by itself, so that a retry makes sense. Nothing was changed,
    /// unless the store became unavailable during a write.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable | Self::Stalled(_) | Self::QueueFull | Self::SnapshotExpired
        )
    }

    /// Whether a record or page is damaged, which says nothing about the others.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

/// What the writer is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallCause {
    /// The disk, for a commit to become durable.
    Disk,
    /// Commands, or index updates.
    Work,
}

impl fmt::Display for StallCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disk => "the disk has not finished a write",
            Self::Work => "the store has been busy with other writes",
        })
    }
}

/// Why a store could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has locked it.
    #[error("the store in '{}' is in use by another process; stop that process, or choose another folder with --data", .0.display())]
    Locked(PathBuf),
    /// It does not exist.
    #[error("there is no store in '{}'; start the server to make one, or choose another folder with --data", .0.display())]
    NotFound(PathBuf),
    /// The folder cannot be created, read or written.
    #[error("the folder '{}' cannot be used: {source}; {}, or choose another with --data", .folder.display(), remedy(.source))]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file system does not support locks.
    #[error("the file system of '{}' refuses the lock that keeps a second process from the store ({cause}); choose a folder on a local disk with --data", .folder.display())]
    NoLocks {
        /// The folder.
        folder: PathBuf,
        /// The message of the operating system.
        cause: String,
    },
    /// There are files, but nothing was ever stored in them.
    #[error("the store in '{}' was never used; it contains nothing to read", .0.display())]
    Uninitialized(PathBuf),
    /// It is damaged.
    #[error("the store in '{}' is damaged ({cause}); restore it from a backup, save what can be read with `export --salvage FILE`, or move the folder away to start with an empty store", .folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What was found.
        cause: String,
    },
    /// A newer version of this program wrote it.
    #[error("the store in '{}' has schema {found}, but this version supports schemas up to {known}; use the version that wrote it, or a newer one", .folder.display())]
    NewerSchema {
        /// The folder.
        folder: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest supported schema version.
        known: u32,
    },
}

impl OpenError {
    /// The same error, attributed to another folder.
    pub(super) fn with_folder(self, folder: &Path) -> Self {
        let folder = folder.to_owned();
        match self {
            Self::Locked(_) => Self::Locked(folder),
            Self::NotFound(_) => Self::NotFound(folder),
            Self::Uninitialized(_) => Self::Uninitialized(folder),
            Self::Io { source, .. } => Self::Io { folder, source },
            Self::NoLocks { cause, .. } => Self::NoLocks { folder, cause },
            Self::Damaged { cause, .. } => Self::Damaged { folder, cause },
            Self::NewerSchema { found, known, .. } => Self::NewerSchema {
                folder,
                found,
                known,
            },
        }
    }
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room there"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "make it writable",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "move away the file that is in its place"
        }
        _ => "check its disk",
    }
}
