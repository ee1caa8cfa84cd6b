//! The store as it is open now, if it is: after a failed commit it is closed and opened anew beneath its readers.

use super::{
    StoreError,
    engine::Engine,
    index::{Change, Indexes},
    open,
    versions::{self, Versions},
};
use crate::clock::Clock;
use arc_swap::ArcSwapOption;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The engine from one opening to the next.
#[derive(Debug)]
pub(super) struct Opened {
    engine: Engine,
    /// Whether a commit failed, so that reads may fail too.
    failed: AtomicBool,
    /// Whether readers are to give up, so that the engine can be closed.
    leaving: AtomicBool,
}

impl Opened {
    /// Reads.
    ///
    /// # Errors
    /// The engine is about to be closed, so whoever holds it must let go of it; or what `read` says.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Engine) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.leaving.load(Ordering::Relaxed) {
            return Err(StoreError::Stopped);
        }
        read(&self.engine).map_err(|error| if self.failed.load(Ordering::SeqCst) { StoreError::Stopped } else { error })
    }

    /// For the writer: it alone changes anything, and decides when the engine is closed.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A commit failed: what is wrong from now on is a consequence.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::SeqCst);
    }
}

/// What readers and the writer both hold.
#[derive(Debug)]
pub(super) struct Shared {
    opened: ArcSwapOption<Opened>,
    pub(super) versions: Versions,
    pub(super) indexes: Indexes,
}

/// Readers look into the engine in portions and give up in between, so that this is ample.
const READERS_LEAVE_WITHIN: Duration = Duration::from_secs(5);

impl Shared {
    pub(super) fn new(engine: Engine, index_bytes: u64) -> Self {
        let (versions, indexes) = (Versions::default(), Indexes::new(index_bytes));
        let shared = Self { opened: ArcSwapOption::empty(), versions, indexes };
        shared.open(engine);
        shared
    }

    /// What was prepared is durable: readers see it, and so does whatever is derived.
    pub(super) fn publish(&self, objects: &[Change]) {
        let touched = objects.iter().map(|change| versions::slot(&change.account)).collect();
        self.indexes.publish(objects, || self.versions.publish(&touched));
    }

    /// Takes one look at the engine, cheaper than [`hold`](Self::hold)ing it.
    ///
    /// # Errors
    /// There is none now, or what `look` says.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Engine) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.opened.load().as_ref().ok_or(StoreError::Stopped)?.read(look)
    }

    /// The engine for as long as it is held.
    ///
    /// # Errors
    /// There is none now.
    pub(super) fn hold(&self) -> Result<Arc<Opened>, StoreError> {
        self.opened.load_full().ok_or(StoreError::Stopped)
    }

    /// Gives readers another engine. What was known of the one before may no longer hold.
    pub(super) fn reopen(&self, engine: Engine) {
        self.versions.start_over();
        self.indexes.clear();
        self.open(engine);
    }

    fn open(&self, engine: Engine) {
        let opened = Opened { engine, failed: AtomicBool::new(false), leaving: AtomicBool::new(false) };
        self.opened.store(Some(Arc::new(opened)));
    }

    /// Takes the engine from readers and closes it, so that its files can be opened again. `false` when readers hold on
    /// to it; then it is closed as soon as the last of them is done.
    pub(super) fn close(&self, folder: &Path) -> bool {
        let Some(mut opened) = self.opened.swap(None) else { return true };
        opened.leaving.store(true, Ordering::Relaxed);
        let deadline = Clock::System.stopwatch() + READERS_LEAVE_WITHIN;
        loop {
            match Arc::try_unwrap(opened) {
                Ok(Opened { engine, .. }) => {
                    // It writes what it still has to write, and panics if that fails.
                    let _what_is_durable_was_acknowledged = open::guarded(folder, move || {
                        drop(engine);
                        Ok(())
                    });
                    return true;
                }
                Err(held) if Clock::System.stopwatch() < deadline => {
                    opened = held;
                    thread::sleep(Duration::from_millis(1));
                }
                Err(_held) => return false,
            }
        }
    }
}
