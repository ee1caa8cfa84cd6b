//! What is done when the server ends: it lets go of the store, and leaves no files behind that are
//! of no use without it.

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

/// On a thread of its own: where the disk does not answer this takes for ever, and signals must
/// still be heard.
pub(super) async fn close(store: Store) {
    let (tell, told) = oneshot::channel();
    let closing = store.clone();
    let begun = thread::Builder::new()
        .name("store-closer".into())
        .spawn(move || {
            closing.close();
            // Nobody listens any more when the program ends without it.
            let _gone = tell.send(());
        });

    match begun {
        Ok(_ends_by_itself) => drop(told.await),
        Err(_no_thread) => store.close(),
    }
}

/// What must not be left behind by a program that ends, or never comes to serve: removed when this
/// goes, at the latest.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    files: Mutex<Vec<Own>>,
    ephemeral: Mutex<Option<TemporaryFolder>>,
}

/// A file that this server made.
#[derive(Debug)]
struct Own {
    path: PathBuf,
    /// Another server may have put a file of its own into the same place since.
    id: Id,
}

/// Tells a file from others that have or had its name: device, number, and, since numbers are used
/// again, when it was made.
type Id = (u64, u64, Option<SystemTime>);

fn id_of(path: &Path) -> Option<Id> {
    path.symlink_metadata()
        .ok()
        .map(|found| (found.dev(), found.ino(), found.created().ok()))
}

impl Leftovers {
    pub(super) fn of(ephemeral: Option<TemporaryFolder>) -> Self {
        Self {
            files: Mutex::default(),
            ephemeral: Mutex::new(ephemeral),
        }
    }

    /// A file that is there now.
    pub(super) fn add(&self, path: PathBuf) {
        // What is gone already need not be removed.
        if let Some(id) = id_of(&path) {
            self.files
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Own { path, id });
        }
    }

    /// Removes what tells where the server can be asked. The next one may start as soon as the
    /// store is closed.
    pub(super) fn remove_files(&self) {
        for Own { path, id } in
            mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner))
        {
            if id_of(&path) == Some(id) {
                // What somebody else has removed is gone all the same.
                let _already_gone = fs::remove_file(path);
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

impl Drop for Leftovers {
    fn drop(&mut self) {
        self.remove();
    }
}
