//! The machine's faults, as opposed to the caller's.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// A fault of the store while it runs.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be used now: a commit failed and it is not open anew yet, or it was closed.
    #[error("the store is not open, or takes no writes until it was opened anew")]
    Unavailable,
    /// More writes wait than the queue holds. Nothing was changed.
    #[error("too many writes are waiting")]
    QueueFull,
    /// The writer has not got on for [`STALL_TIMEOUT`](super::STALL_TIMEOUT). Nothing was changed.
    #[error("{0} for {seconds} seconds or more", seconds = super::STALL_TIMEOUT.as_secs())]
    Stalled(StallCause),
    /// More was changed since a snapshot was taken than is kept for those who read it. It cannot be
    /// read any more.
    #[error(
        "the snapshot is too old: more was changed since it was taken than store.snapshot_bytes allows"
    )]
    SnapshotExpired,
    /// All numbers of an account's objects were given. Nothing was changed.
    #[error("the account has used up its numbers")]
    TinyIdsExhausted,
    /// The store holds something that this program did not write like that.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The storage engine failed.
    #[error("the storage engine failed: {0}")]
    Engine(sled::Error),
    /// A file of the store could not be synced to disk.
    #[error("the store could not be synced to disk: {0}")]
    Sync(std::sync::Arc<io::Error>),
}

impl StoreError {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// Whether it tells that the engine cannot go on, which ends when it was opened anew. What is
    /// damaged in its files stays so.
    pub(super) fn is_fatal(&self) -> bool {
        match self {
            Self::Engine(sled::Error::Corruption { .. }) | Self::Damaged(_) => false,
            Self::Engine(_) | Self::Sync(_) => true,
            Self::Unavailable
            | Self::Stalled(_)
            | Self::QueueFull
            | Self::SnapshotExpired
            | Self::TinyIdsExhausted => false,
        }
    }

    /// Whether the store goes on by itself. Why it does not just now is told elsewhere, and nothing
    /// was changed unless it stopped meanwhile.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable | Self::Stalled(_) | Self::QueueFull | Self::SnapshotExpired
        )
    }

    /// Whether some record or page is wrong, which says nothing about the others.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Damaged(_) | Self::Engine(sled::Error::Corruption { .. })
        )
    }
}

/// What holds the writer up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallCause {
    /// A commit does not become durable.
    Disk,
    /// Commands, or what is derived from them, take long.
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

impl From<sled::Error> for StoreError {
    fn from(source: sled::Error) -> Self {
        Self::Engine(source)
    }
}

/// Why a store could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the store in '{}' is in use by another process; stop that one, or choose another folder with --data", .0.display())]
    Locked(PathBuf),
    /// There is none.
    #[error("there is no store in '{}'; start the server to make one, or choose another folder with --data", .0.display())]
    NotFound(PathBuf),
    /// The folder cannot be made, read or written.
    #[error("the folder '{}' cannot be used: {source}; {}, or choose another with --data", .folder.display(), remedy(.source))]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Its file system has no locks.
    #[error("the file system of '{}' refuses the lock that keeps a second process from the store ({cause}); choose a folder on a local disk with --data", .folder.display())]
    NoLocks {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        cause: String,
    },
    /// There are files, but nothing was ever stored in them.
    #[error("the store in '{}' was never used; there is nothing in it to read", .0.display())]
    Uninitialized(PathBuf),
    /// What is in there cannot be read.
    #[error("the store in '{}' is damaged ({cause}); restore it from a backup, save what can be read with `export --salvage FILE`, or move the folder away to start anew", .folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What was found.
        cause: String,
    },
    /// A later version of this program wrote it.
    #[error("the store in '{}' has schema {found}, and this version knows schemas up to {known}; use the version that wrote it, or a newer one", .folder.display())]
    NewerSchema {
        /// The folder.
        folder: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
}

impl OpenError {
    /// The same about another folder.
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

/// What to do about it.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room there"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "make it writable",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "put away what stands in its place"
        }
        _ => "see that its disk works",
    }
}
