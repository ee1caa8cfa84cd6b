//! The way to the writer: what is to be done waits here for its turn.

use super::{
    StoreError,
    writer::{Answer, Batch, Command},
};
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
    mpsc,
};

/// Takes commands while it is open. A store without a writer has one that never was.
#[derive(Debug, Default)]
pub(super) struct CommandQueue {
    sender: RwLock<Option<mpsc::SyncSender<QueuedCommand>>>,
    waiting: Arc<AtomicU64>,
}

/// A command in the queue.
pub(super) struct QueuedCommand {
    command: Command,
    place: QueueSlot,
}

impl QueuedCommand {
    /// Its turn has come.
    pub(super) fn run(self, batch: &mut Batch<'_>) -> Answer {
        let Self { command, place } = self;
        drop(place);
        command(batch)
    }
}

/// Counted for as long as it is taken.
struct QueueSlot(Arc<AtomicU64>);

impl Drop for QueueSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl CommandQueue {
    /// Opens it for so many commands, and returns the end at which they come out.
    pub(super) fn open(&self, most: usize) -> mpsc::Receiver<QueuedCommand> {
        let (sender, receiver) = mpsc::sync_channel(most);
        *self.sender.write().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    /// Lets a command wait.
    ///
    /// # Errors
    /// The queue is full or not open.
    pub(super) fn enqueue(&self, command: Command) -> Result<(), StoreError> {
        let queue = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.as_ref().ok_or(StoreError::Unavailable)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let place = QueueSlot(Arc::clone(&self.waiting));
        sender
            .try_send(QueuedCommand { command, place })
            .map_err(|refused| match refused {
                mpsc::TrySendError::Full(_) => StoreError::QueueFull,
                mpsc::TrySendError::Disconnected(_) => StoreError::Unavailable,
            })
    }

    /// How many commands wait.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Has the writer look round, with a command that does nothing. Where no more fit in, it is
    /// awake.
    pub(super) fn wake(&self) {
        let _awake_or_gone = self.enqueue(Box::new(|_| Box::new(|_| ())));
    }

    /// Takes no more; what waits is still done.
    pub(super) fn close(&self) {
        drop(
            self.sender
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}
