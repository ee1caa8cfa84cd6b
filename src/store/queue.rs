//! The way to the writer: what is to be done waits here for its turn.

use super::{StoreError, writer::Command};
use std::sync::{PoisonError, RwLock, mpsc};

/// Takes commands while it is open. A store without a writer has one that never was.
#[derive(Debug, Default)]
pub(super) struct Queue(RwLock<Option<mpsc::SyncSender<Command>>>);

impl Queue {
    /// Opens it for so many commands, and returns the end at which they come out.
    pub(super) fn open(&self, most: usize) -> mpsc::Receiver<Command> {
        let (sender, receiver) = mpsc::sync_channel(most);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    /// Lets a command wait.
    ///
    /// # Errors
    /// The queue is full or not open.
    pub(super) fn enqueue(&self, command: Command) -> Result<(), StoreError> {
        let queue = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.as_ref().ok_or(StoreError::Stopped)?;
        sender.try_send(command).map_err(|refused| match refused {
            mpsc::TrySendError::Full(_) => StoreError::Busy,
            mpsc::TrySendError::Disconnected(_) => StoreError::Stopped,
        })
    }

    /// Has the writer look round, with a command that does nothing. Where no more fit in, it is awake.
    pub(super) fn wake(&self) {
        let _awake_or_gone = self.enqueue(Box::new(|_| Box::new(|_| ())));
    }

    /// Takes no more; what waits is still done.
    pub(super) fn close(&self) {
        drop(self.0.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}
