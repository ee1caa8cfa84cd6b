//! The store as it is open now, if it is: after a fault of the engine it is closed and opened anew
//! beneath its readers.
//!
//! Readers meet such faults too: where the cache is small they make the engine write. Once that
//! failed it answers nobody any more, so whoever sees it first notes it and wakes the writer, which
//! heals the store.

use super::{
    StoreError,
    command_queue::CommandQueue,
    index::{Change, Indexes},
    local::Engine,
    local::open,
    mvcc::{self, Mvcc},
};
use crate::clock::Clock;
use arc_swap::ArcSwapOption;
use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The engine from one opening to the next.
#[derive(Debug)]
pub(super) struct EngineHandle {
    engine: Engine,
    /// The first fault that the engine cannot go on after.
    fault: OnceLock<StoreError>,
    /// Where the one waits who opens it anew.
    queue: Arc<CommandQueue>,
    /// Whether readers are to give up, so that the engine can be closed.
    draining: Arc<AtomicBool>,
}

impl EngineHandle {
    /// Reads.
    ///
    /// # Errors
    /// The engine is about to be closed, so whoever holds it must let go of it; or has to be, since
    /// it failed; or what `read` says.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable);
        }
        read(&self.engine).map_err(|error| {
            if error.is_fatal() {
                self.fail(error.clone());
            }
            // What is wrong behind a fault is a consequence.
            self.check_health()
                .map_or(StoreError::Unavailable, |()| error)
        })
    }

    /// Becomes true when readers are to let go of this, however slow they are.
    pub(super) fn draining(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.draining)
    }

    /// For the writer: it alone changes anything, and decides when the engine is closed.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine cannot go on. Only the first such fault counts.
    pub(super) fn fail(&self, fault: StoreError) {
        if self.fault.set(fault).is_ok() {
            self.queue.wake();
        }
    }

    /// # Errors
    /// The fault that the engine cannot go on after.
    pub(super) fn check_health(&self) -> Result<(), StoreError> {
        self.fault.get().map_or(Ok(()), |fault| Err(fault.clone()))
    }
}

/// What readers and the writer both hold.
#[derive(Debug)]
pub(super) struct Replica {
    opened: ArcSwapOption<EngineHandle>,
    /// What the writer has to do.
    pub(super) queue: Arc<CommandQueue>,
    pub(super) mvcc: Mvcc,
    pub(super) indexes: Indexes,
    /// Whether the next commit breaks down where it is published.
    #[cfg(test)]
    pub(super) planted: AtomicBool,
}

/// Readers look into the engine in portions and give up in between, and those who wait for
/// something else look whether they are to leave, so that this is ample.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

impl Replica {
    pub(super) fn new(engine: Engine, index_bytes: u64, snapshot_bytes: u64) -> Self {
        let (mvcc, indexes) = (Mvcc::new(snapshot_bytes), Indexes::new(index_bytes));
        let replica = Self {
            opened: ArcSwapOption::empty(),
            queue: Arc::default(),
            mvcc,
            indexes,
            #[cfg(test)]
            planted: AtomicBool::default(),
        };
        replica.open(engine);
        replica
    }

    /// What was prepared is durable: readers see it, and so does whatever is derived.
    pub(super) fn publish(&self, objects: &[Change]) {
        #[cfg(test)]
        assert!(
            !self.planted.swap(false, Ordering::SeqCst),
            "planted by a test"
        );
        let touched = objects
            .iter()
            .map(|change| mvcc::slot(&change.account))
            .collect();
        self.indexes
            .publish(objects, || self.mvcc.publish(&touched));
    }

    /// Takes one look at the engine, cheaper than [`acquire`](Self::acquire)ing it.
    ///
    /// # Errors
    /// There is none now, or what `look` says.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.opened
            .load()
            .as_ref()
            .ok_or(StoreError::Unavailable)?
            .read(read)
    }

    /// The engine for as long as it is held.
    ///
    /// # Errors
    /// There is none now.
    pub(super) fn acquire(&self) -> Result<Arc<EngineHandle>, StoreError> {
        self.opened.load_full().ok_or(StoreError::Unavailable)
    }

    /// Gives readers another engine. What was known of the one before may no longer hold.
    pub(super) fn reopen(&self, engine: Engine) {
        self.mvcc.reset();
        self.indexes.clear();
        self.open(engine);
    }

    fn open(&self, engine: Engine) {
        let (fault, queue) = (OnceLock::new(), Arc::clone(&self.queue));
        let opened = EngineHandle {
            engine,
            fault,
            queue,
            draining: Arc::default(),
        };
        self.opened.store(Some(Arc::new(opened)));
    }

    /// Takes the engine from readers and closes it, so that its files can be opened again. `false`
    /// when readers hold on to it; then all have it again.
    pub(super) fn close(&self, folder: &Path) -> bool {
        let Err(held) = self.take(folder) else {
            return true;
        };
        held.draining.store(false, Ordering::Relaxed);
        self.opened.store(Some(held));
        false
    }

    /// The same for good: nobody gets the engine again. Where readers hold on to it, it is closed
    /// as soon as the last of them is done.
    pub(super) fn end(&self, folder: &Path) -> bool {
        self.take(folder).is_ok()
    }

    /// Closes the engine, unless readers hold on to it.
    fn take(&self, folder: &Path) -> Result<(), Arc<EngineHandle>> {
        let Some(mut opened) = self.opened.swap(None) else {
            return Ok(());
        };

        opened.draining.store(true, Ordering::Relaxed);
        let deadline = Clock::System.stopwatch() + DRAIN_TIMEOUT;
        loop {
            match Arc::try_unwrap(opened) {
                Ok(EngineHandle { engine, .. }) => {
                    // It writes what it still has to write, and panics if that fails.
                    let _what_is_durable_was_acknowledged =
                        open::catch_engine_panic(folder, move || {
                            drop(engine);
                            Ok(())
                        });
                    return Ok(());
                }
                Err(held) if Clock::System.stopwatch() < deadline => {
                    opened = held;
                    thread::sleep(Duration::from_millis(1));
                }
                Err(held) => return Err(held),
            }
        }
    }
}
