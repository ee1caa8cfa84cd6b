//! The readable copy of the store: engine, MVCC undo log and indexes as one value.
//!
//! Whatever replaces the data replaces this value as a whole: recovery today, a restore or another
//! ledger later. Snapshots keep the replica that they were taken from.
//!
//! Readers meet engine failures too, because a small cache makes them evict dirty pages. A failed
//! engine is unusable, so the first reader to notice records the fault and wakes the writer, which
//! starts recovery.

use super::{
    Options, StoreError,
    change::Change,
    change_clock::ChangeClock,
    change_feed::ObserverSlot,
    entries::{Changes, Stored},
    index::Indexes,
    local::{Engine, open},
    mvcc::Mvcc,
    trees::Tree,
};
use crate::clock::Clock;
use arc_swap::ArcSwapOption;
use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    thread,
    time::Duration,
};

/// An open engine with everything derived from it.
#[derive(Debug)]
pub(super) struct Replica {
    engine: Engine,
    pub(super) mvcc: Mvcc,
    pub(super) indexes: Indexes,
    clock: Arc<ChangeClock>,
    observer: ObserverSlot,
    /// The first fatal error of the engine.
    fault: OnceLock<StoreError>,
    /// Wakes the writer, which recovers from faults.
    writer: Waker,
    /// Whether readers must let go, so that the engine can be closed.
    draining: Arc<AtomicBool>,
    /// Makes the next publication panic.
    #[cfg(test)]
    pub(super) panics_on_publish: AtomicBool,
}

impl Replica {
    /// Reads from the engine.
    ///
    /// # Errors
    /// The replica is draining, the engine has failed, or `read` failed.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Engine) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Relaxed is enough: `drain` waits until every reader has let go.
        if self.draining.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable);
        }
        read(&self.engine).map_err(|error| {
            if error.is_fatal() {
                self.fail(error.clone());
            }
            // After a fault, further errors are only its consequences.
            self.check_health()
                .map_or(StoreError::Unavailable, |()| error)
        })
    }

    /// The value at `key` as of the last published commit.
    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        // Engine first, undo log second; see `mvcc` for why this order is exact.
        let found = self.read(|engine| engine.get(tree, key))?;
        Ok(self.mvcc.published(tree, key, found))
    }

    /// Set when readers must let go of this replica, however slow they are.
    pub(super) fn draining(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.draining)
    }

    /// Records a fatal error. Only the first counts.
    pub(super) fn fail(&self, fault: StoreError) {
        if self.fault.set(fault).is_ok() {
            self.writer.wake_by_ref();
        }
    }

    /// # Errors
    /// The engine has failed.
    pub(super) fn check_health(&self) -> Result<(), StoreError> {
        self.fault.get().map_or(Ok(()), |fault| Err(fault.clone()))
    }

    /// Applies a commit to the engine. Readers see none of it before [`publish`](Self::publish).
    pub(super) fn apply(&self, changes: &Changes) -> Result<(), StoreError> {
        let mut undo = Changes::default();
        for (tree, key, _) in changes.iter() {
            undo.insert(tree, key.clone(), self.engine.get(tree, key)?);
        }

        // Before the engine changes: readers look into the engine first and into the undo log
        // second.
        self.mvcc.record_undo(undo);
        self.engine.apply(changes)
    }

    /// Makes everything applied durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.engine.sync()
    }

    /// Makes an applied commit visible to readers and indexes, in one step.
    pub(super) fn publish(&self, changes: &Changes) {
        #[cfg(test)]
        assert!(
            !self.panics_on_publish.swap(false, Ordering::SeqCst),
            "planted by a test"
        );
        let observed = self.observer.collect(changes, &self.mvcc);
        let changes: Vec<Change> = changes
            .iter()
            .filter_map(|(tree, key, value)| Change::from_entry(tree, key, value.as_ref()))
            .collect();

        self.indexes.publish(&changes, || {
            let version = self.mvcc.publish();
            self.clock
                .advance(version, changes.iter().map(|change| &change.account));
        });
        self.observer.notify(observed);
    }
}

/// The current replica, if the store is open.
#[derive(Debug)]
pub(super) struct CurrentReplica {
    replica: ArcSwapOption<Replica>,
    index_bytes: u64,
    snapshot_bytes: u64,
    /// Wakes the writer.
    writer: Waker,
    pub(super) clock: Arc<ChangeClock>,
    /// Receives the changes of each commit.
    pub(super) observer: ObserverSlot,
}

/// Readers fetch a chunk at a time and check in between whether to let go, so this is ample.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

impl CurrentReplica {
    pub(super) fn new(engine: Engine, options: &Options, writer: Waker) -> Self {
        let current = Self {
            replica: ArcSwapOption::empty(),
            index_bytes: options.index_bytes,
            snapshot_bytes: options.snapshot_bytes,
            writer,
            clock: Arc::default(),
            observer: ObserverSlot::default(),
        };
        current.install(engine);
        current
    }

    /// Calls `read` with the replica, which is cheaper than to [`acquire`](Self::acquire) it.
    ///
    /// # Errors
    /// The store is closed, or `read` failed.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Replica) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let replica = self.replica.load();
        read(replica.as_ref().ok_or(StoreError::Unavailable)?)
    }

    /// The replica, kept open for as long as the caller holds it.
    ///
    /// # Errors
    /// The store is closed.
    pub(super) fn acquire(&self) -> Result<Arc<Replica>, StoreError> {
        self.replica.load_full().ok_or(StoreError::Unavailable)
    }

    /// Installs a replica over another engine. Nothing that was known about the previous one has to
    /// hold any more.
    pub(super) fn replace(&self, engine: Engine) {
        // Install first: a reader of the new version must find the new replica.
        let version = self.install(engine);
        self.clock.advance_all(version);
        self.observer.notify_reopened();
    }

    fn install(&self, engine: Engine) -> u64 {
        let version = self.clock.published().saturating_add(1);
        self.replica.store(Some(Arc::new(Replica {
            engine,
            mvcc: Mvcc::new(self.snapshot_bytes, version),
            indexes: Indexes::new(self.index_bytes),
            clock: Arc::clone(&self.clock),
            observer: self.observer.clone(),
            fault: OnceLock::new(),
            writer: self.writer.clone(),
            draining: Arc::default(),
            #[cfg(test)]
            panics_on_publish: AtomicBool::default(),
        })));
        version
    }

    /// Drains and closes the replica, so that its files can be opened again. Returns `false` if
    /// readers do not let go in time; then they keep it.
    pub(super) fn close(&self, folder: &Path) -> bool {
        let Err(held) = self.drain(folder) else {
            return true;
        };
        held.draining.store(false, Ordering::Relaxed);
        self.replica.store(Some(held));
        false
    }

    /// Drains and closes the replica for good. Returns `false` if readers do not let go in time;
    /// then the last of them closes it.
    pub(super) fn close_for_good(&self, folder: &Path) -> bool {
        self.drain(folder).is_ok()
    }

    fn drain(&self, folder: &Path) -> Result<(), Arc<Replica>> {
        let Some(mut replica) = self.replica.swap(None) else {
            return Ok(());
        };

        // The swap has stopped new readers; this stops those that hold the replica.
        replica.draining.store(true, Ordering::Relaxed);
        let deadline = Clock::System.stopwatch() + DRAIN_TIMEOUT;
        loop {
            match Arc::try_unwrap(replica) {
                Ok(replica) => {
                    // The engine writes on drop, and panics if that fails. Everything acknowledged
                    // is durable already.
                    let _ignored = open::catch_engine_panic(folder, move || {
                        drop(replica);
                        Ok(())
                    });
                    return Ok(());
                }
                Err(held) if Clock::System.stopwatch() < deadline => {
                    replica = held;
                    thread::sleep(Duration::from_millis(1));
                }
                Err(held) => return Err(held),
            }
        }
    }
}
