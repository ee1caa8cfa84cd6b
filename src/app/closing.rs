//! What is done when the server ends: it lets go of the store, and leaves no files behind that are of no use without it.

use crate::store::Store;
use std::{
    fs, mem,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
};
use tokio::sync::oneshot;

/// On a thread of its own: where the disk does not answer this takes for ever, and signals must still be heard.
pub(super) async fn close(store: Store) {
    let (tell, told) = oneshot::channel();
    let closing = store.clone();
    let begun = thread::Builder::new().name("store-closer".into()).spawn(move || {
        closing.close();
        // Nobody listens any more when the program ends without it.
        let _gone = tell.send(());
    });
    match begun {
        Ok(_ends_by_itself) => drop(told.await),
        Err(_no_thread) => store.close(),
    }
}

/// What must not be left behind by a program that ends, or never comes to serve: removed when this goes, at the latest.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    files: Mutex<Vec<PathBuf>>,
    ephemeral: Mutex<Option<tempfile::TempDir>>,
}

impl Leftovers {
    pub(super) fn of(ephemeral: Option<tempfile::TempDir>) -> Self {
        Self { files: Mutex::default(), ephemeral: Mutex::new(ephemeral) }
    }

    pub(super) fn add(&self, file: PathBuf) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }

    pub(super) fn remove(&self) {
        // What somebody else has removed is gone all the same.
        for path in mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner)) {
            let _already_gone = fs::remove_file(path);
        }
        drop(self.ephemeral.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        self.remove();
    }
}
