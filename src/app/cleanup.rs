//! Cleanup at shutdown: closes the store and removes the files that only a running server needs.

use crate::store::{Store, TemporaryFolder};
use std::{
    fs, mem,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::SystemTime,
};
use tokio::sync::oneshot;

/// Closes the store on a separate thread, so that signals are still handled while a disk hangs.
pub(super) async fn close(store: Store) {
    let (tell, told) = oneshot::channel();
    let closing = store.clone();
    let begun = thread::Builder::new()
        .name("store-closer".into())
        .spawn(move || {
            closing.close();
            // The receiver is gone if the program ends first.
            let _ignored = tell.send(());
        });

    match begun {
        Ok(_detached) => drop(told.await),
        Err(_no_thread) => store.close(),
    }
}

/// Files and the ephemeral folder to remove at exit, also after a failed start. Dropping this
/// removes them.
#[derive(Debug, Default)]
pub(super) struct TempFiles {
    files: Mutex<Vec<TempFile>>,
    ephemeral: Mutex<Option<TemporaryFolder>>,
}

/// A file created by this server.
#[derive(Debug)]
struct TempFile {
    path: PathBuf,
    /// Guards against removing a file that another server has since put at the same path.
    id: FileId,
}

/// Identifies a file: device, inode and, since inodes are reused, time new creation.
type FileId = (u64, u64, Option<SystemTime>);

fn file_id(path: &Path) -> Option<FileId> {
    path.symlink_metadata()
        .ok()
        .map(|found| (found.dev(), found.ino(), found.created().ok()))
}

impl TempFiles {
    pub(super) fn new(ephemeral: Option<TemporaryFolder>) -> Self {
        Self {
            files: Mutex::default(),
            ephemeral: Mutex::new(ephemeral),
        }
    }

    /// Registers an existing file.
    pub(super) fn add(&self, path: PathBuf) {
        // A file that no longer exists need not be removed.
        if let Some(id) = file_id(&path) {
            self.files
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(TempFile { path, id });
        }
    }

    /// Removes the files that advertise the server. Call this before the store is closed, since
    /// another server may start right after.
    pub(super) fn remove_files(&self) {
        for TempFile { path, id } in
            mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner))
        {
            if file_id(&path) == Some(id) {
                // Another process may have removed it already.
                let _ignored = fs::remove_file(path);
            }
        }
    }

    pub(super) fn remove(&self) {
        self.remove_files();
        drop(
            self.ephemeral
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

impl Drop for TempFiles {
    fn drop(&mut self) {
        self.remove();
    }
}
