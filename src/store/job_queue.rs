//! Bounded queue of jobs for the writer thread.

use super::{StoreError, job::Job};
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    task::Wake,
};

/// Accepts jobs while it is open. As a waker, it wakes the writer.
#[derive(Debug, Default)]
pub(super) struct JobQueue {
    sender: RwLock<Option<mpsc::SyncSender<QueuedJob>>>,
    waiting: Arc<AtomicU64>,
}

/// A job in the queue.
pub(super) struct QueuedJob {
    job: Job,
    _slot: QueueSlot,
}

impl QueuedJob {
    /// Takes the job out of the queue.
    pub(super) fn into_job(self) -> Job {
        self.job
    }
}

/// Counts a queued job until it is dropped.
struct QueueSlot(Arc<AtomicU64>);

impl Drop for QueueSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl JobQueue {
    /// Opens the queue with room for `capacity` jobs. Returns its receiving end.
    pub(super) fn open(&self, capacity: usize) -> mpsc::Receiver<QueuedJob> {
        let (sender, receiver) = mpsc::sync_channel(capacity);
        *self.sender.write().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    /// Adds a job.
    ///
    /// # Errors
    /// The queue is full or closed.
    pub(super) fn push(&self, job: Job) -> Result<(), StoreError> {
        let queue = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.as_ref().ok_or(StoreError::Unavailable)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _slot = QueueSlot(Arc::clone(&self.waiting));
        sender
            .try_send(QueuedJob { job, _slot })
            .map_err(|refused| match refused {
                mpsc::TrySendError::Full(_) => StoreError::QueueFull,
                mpsc::TrySendError::Disconnected(_) => StoreError::Unavailable,
            })
    }

    /// The number of waiting jobs.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Accepts no more jobs. Those that wait are still done.
    pub(super) fn close(&self) {
        drop(
            self.sender
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

impl Wake for JobQueue {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // If the queue is full, the writer is awake already.
        let _ignored = self.push(Job::Probe);
    }
}
