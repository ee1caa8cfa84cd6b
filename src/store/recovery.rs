//! What happens after a commit or the engine failed: the store is closed beneath its readers and
//! opened anew, until it works again.
//!
//! A failed write leaves the engine unable to go on, even after there is room on the disk again,
//! and it leaves open what of the last commit is on disk; so the engine is thrown away and the
//! files tell. After a failed sync the operating system may hold what it did not write for written.
//! So whatever is in the files is written once more, and synced, before anything is built on it.

use super::{
    OpenError, Options, StoreError,
    engine::{Changes, Engine},
    handle::Replica,
    open,
    repair::SEGMENT_BYTES,
};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Opens a store again and again until it takes writes.
#[derive(Debug)]
pub(super) struct Recovery<'a> {
    replica: &'a Replica,
    folder: &'a Path,
    options: &'a Options,
}

/// Why the store does not take writes yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecoveryError {
    #[error("the folder cannot be written: {0}")]
    Probe(io::Error),
    #[error("readers are still holding it")]
    ReadersActive,
    #[error("opening it broke down")]
    Panicked,
    #[error("what was written could not be written again: {0}")]
    Rewrite(io::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("it was opened, but the first write failed: {0}")]
    TestCommit(StoreError),
}

/// How long to wait between attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    const INITIAL_DELAY: Duration = Duration::from_millis(100);
    const PROBE_INTERVAL: Duration = Duration::from_secs(1);
    const MAX_DELAY: Duration = Duration::from_secs(60);

    /// Before the first attempt.
    pub(super) fn initial(&self) -> Duration {
        Self::INITIAL_DELAY
    }

    /// After an attempt that took this long. One that only probed, or waited for readers in vain,
    /// has left them the store, so the next comes soon; others come less and less often. A large
    /// store takes long to open; readers shall have it most of the time.
    pub(super) fn after(&mut self, error: &RecoveryError, took: Duration) -> Duration {
        if matches!(
            error,
            RecoveryError::Probe(_) | RecoveryError::ReadersActive
        ) {
            return Self::PROBE_INTERVAL;
        }
        let delay = self.next.max(took.saturating_mul(10)).min(Self::MAX_DELAY);
        self.next = delay.saturating_mul(2);
        delay
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            next: Self::INITIAL_DELAY.saturating_mul(2),
        }
    }
}

impl<'a> Recovery<'a> {
    pub(super) fn new(replica: &'a Replica, folder: &'a Path, options: &'a Options) -> Self {
        Self {
            replica,
            folder,
            options,
        }
    }

    /// One attempt. Until the folder can be written to, readers keep the engine that they have.
    pub(super) fn attempt(&self) -> Result<(), RecoveryError> {
        probe(self.folder).map_err(RecoveryError::Probe)?;
        if !self.replica.close(self.folder) {
            return Err(RecoveryError::ReadersActive);
        }

        rewrite(self.folder).map_err(RecoveryError::Rewrite)?;
        let engine = open::open(
            self.folder,
            &Options {
                token_secret: None,
                ..self.options.clone()
            },
        )?;
        let works = commit_nothing(&engine);
        self.replica.reopen(engine);

        works.map_err(RecoveryError::TestCommit)
    }
}

/// An empty commit.
fn commit_nothing(engine: &Engine) -> Result<(), StoreError> {
    engine.apply(&Changes::new())?;
    engine.sync()
}

/// Beside `db`, for a moment.
pub(super) const PROBE_FILE: &str = "probe";

/// As much as the engine writes at once at most, which is a segment, and some.
const PROBE_LEN: usize = SEGMENT_BYTES + (1 << 20);

/// What is written again is written in portions of this size.
const REWRITE_CHUNK_LEN: usize = 1 << 20;

/// Writes and syncs a file that is of no other use.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(PROBE_FILE);
    // What a killed process left goes first: its room may be what is missing.
    let _unless_there_is_none = fs::remove_file(&path);
    let written = File::create_new(&path).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_LEN])?;
        file.sync_all()
    });
    // Its room may be what is missing.
    let removed = fs::remove_file(&path);
    written.and(removed)
}

/// Writes all files of the store with what they contain, and syncs them.
fn rewrite(folder: &Path) -> io::Result<()> {
    let log = folder.join("db");
    let held = File::options().read(true).write(true).open(&log)?;
    // The engine's own lock, so that no other process has it open meanwhile.
    held.try_lock()?;
    rewrite_file(&held)?;
    for blob in files(&folder.join("blobs"))? {
        rewrite_file(&File::options().read(true).write(true).open(blob)?)?;
    }
    held.unlock()
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}

fn rewrite_file(file: &File) -> io::Result<()> {
    let mut chunk = vec![0; REWRITE_CHUNK_LEN];
    let mut offset = 0;
    loop {
        let length = file.read_at(&mut chunk, offset)?;
        let Some(read) = chunk.get(..length).filter(|read| !read.is_empty()) else {
            break;
        };
        file.write_all_at(read, offset)?;
        offset = offset.saturating_add(length.try_into().unwrap_or(u64::MAX));
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_after_it_was_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..REWRITE_CHUNK_LEN + 4_321)
            .map(|number| (number % 251) as u8)
            .collect();
        fs::write(&path, &bytes).unwrap();
        rewrite_file(&File::options().read(true).write(true).open(&path).unwrap()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_probe_leaves_nothing_behind_and_fails_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join(PROBE_FILE),
            "of a process that was killed",
        )
        .unwrap();
        probe(folder.path()).unwrap();
        assert_eq!(files(folder.path()).unwrap(), Vec::<PathBuf>::new());
        assert!(probe(&folder.path().join("absent")).is_err());
    }

    #[test]
    fn a_probe_is_soon_made_again_whatever_came_before() {
        let probe = || RecoveryError::Probe(io::ErrorKind::StorageFull.into());
        let mut backoff = Backoff::default();
        let seconds = Duration::from_secs;
        assert_eq!(backoff.after(&probe(), seconds(0)), seconds(1));
        assert_eq!(
            backoff.after(&RecoveryError::ReadersActive, seconds(5)),
            seconds(1),
            "they have the store meanwhile"
        );
        backoff.after(&RecoveryError::Panicked, seconds(600));
        assert_eq!(backoff.after(&probe(), seconds(600)), seconds(1));
    }

    #[test]
    fn attempts_that_take_the_store_from_readers_become_rare() {
        let mut backoff = Backoff::default();
        let millis = Duration::from_millis;
        let mut after = |took| backoff.after(&RecoveryError::Panicked, millis(took));
        assert_eq!([0, 0, 0].map(&mut after), [200, 400, 800].map(millis));
        assert_eq!(
            [500, 0].map(&mut after),
            [5_000, 10_000].map(millis),
            "ten times what it took"
        );
        assert_eq!([7_000, 0].map(&mut after), [60_000, 60_000].map(millis));
    }
}
