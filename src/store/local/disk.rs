//! Syncs the files of a store, through file handles of our own.

use super::{
    layout::{BLOBS, CONF, LOG},
    watermark::Watermark,
};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// File handles of the store.
#[derive(Debug)]
pub(super) struct Disk {
    log: File,
    watermark: Watermark,
    blobs: PathBuf,
    /// Names of the blob files that are known to be durable.
    synced_blobs: Mutex<BTreeSet<OsString>>,
}

impl Disk {
    /// Opens the files of the store in `folder`, and makes them and their names durable as they
    /// are.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let disk = Self {
            log: File::options().write(true).open(folder.join(LOG))?,
            watermark: Watermark::open(folder)?,
            blobs: folder.join(BLOBS),
            synced_blobs: Mutex::default(),
        };

        for file in [CONF, LOG] {
            File::open(folder.join(file))?.sync_all()?;
        }

        disk.sync_blobs()?;
        sync_parent_folders(folder)?;
        Ok(disk)
    }

    /// The number of the last acknowledged commit.
    pub(super) fn acknowledged(&self) -> io::Result<u64> {
        self.watermark.get()
    }

    /// Records that the commit with this number is durable.
    pub(super) fn acknowledge(&self, commit: u64) -> io::Result<()> {
        self.watermark.set(commit)
    }

    /// Completes a commit after `flush`. All large values that the log refers to are now written
    /// completely, so this syncs the blob files that appeared since `before`, and then the log.
    pub(super) fn sync(&self, before: BTreeSet<OsString>) -> io::Result<()> {
        self.sync_new_blobs()?;
        *self.lock_synced_blobs() = before;
        self.log.sync_data()
    }

    fn lock_synced_blobs(&self) -> MutexGuard<'_, BTreeSet<OsString>> {
        self.synced_blobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn sync_blobs(&self) -> io::Result<()> {
        let blobs = self.sync_new_blobs()?;
        *self.lock_synced_blobs() = blobs;
        Ok(())
    }

    /// Syncs the blob files that are not known to be durable, and their names; nearly always there
    /// are none. A reader may be writing one right now, so none counts as durable yet. Returns all
    /// that exist.
    pub(super) fn sync_new_blobs(&self) -> io::Result<BTreeSet<OsString>> {
        let present = std::fs::read_dir(&self.blobs)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<BTreeSet<_>>>()?;
        if self.sync_files(&present)? {
            File::open(&self.blobs)?.sync_all()?;
        }
        Ok(present)
    }

    /// Returns whether there were any.
    fn sync_files(&self, present: &BTreeSet<OsString>) -> io::Result<bool> {
        let synced = self.lock_synced_blobs();

        for name in present.difference(&synced) {
            match File::open(self.blobs.join(name)) {
                Ok(blob) => blob.sync_all()?,
                // The engine removed it meanwhile, so nothing refers to it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(other) => return Err(other),
            }
        }

        Ok(!present.is_subset(&synced))
    }
}

/// Syncs the names of the folder and of all folders above it, any of which may be new.
fn sync_parent_folders(folder: &Path) -> io::Result<()> {
    for folder in folder.canonicalize()?.ancestors() {
        match File::open(folder).and_then(|folder| folder.sync_all()) {
            // We cannot have created a folder that we may not read.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            outcome => outcome?,
        }
    }
    Ok(())
}
