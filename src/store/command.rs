//! Commands: functions that run inside a transaction, and can run again if their commit conflicts
//! with another writer. Each is answered exactly once.

use super::{StoreError, Transaction};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// A command of any type, as the writer sees it.
pub(super) trait Command: Send {
    /// Runs the command and keeps its outcome. Returns whether its changes count. `may_repeat`
    /// tells whether it may have to run again; if not, nothing is cloned.
    fn run(&mut self, transaction: &mut Transaction<'_>, may_repeat: bool) -> bool;

    /// Sends the outcome of the last run to the caller, or why its commit failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A command and the way back to its caller.
pub(super) struct PendingCommand<F, T, E> {
    command: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> PendingCommand<F, T, E> {
    /// The command, and the receiver of its answer. Dropping the command without an answer closes
    /// the receiver.
    pub(super) fn new(command: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (reply, receiver) = oneshot::channel();
        let pending = Self {
            command: Some(command),
            outcome: None,
            reply,
        };
        (pending, receiver)
    }
}

impl<F, T, E> Command for PendingCommand<F, T, E>
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T, E> + Clone + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>, may_repeat: bool) -> bool {
        let command = if may_repeat {
            self.command.clone()
        } else {
            self.command.take()
        };

        // A command that panics changes nothing, and only its caller learns of it.
        let outcome = catch_unwind(AssertUnwindSafe(|| match command {
            Some(command) => command(transaction),
            None => Err(StoreError::damaged("a command cannot run again").into()),
        }))
        .unwrap_or_else(|_panic| Err(StoreError::damaged("a command crashed").into()));

        let succeeded = outcome.is_ok();
        self.outcome = Some(outcome);
        succeeded
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = self
            .outcome
            .unwrap_or_else(|| Err(StoreError::Unavailable.into()));
        // The caller may have gone. What it asked for is done all the same.
        let _ignored = self.reply.send(committed.map_err(E::from).and(outcome));
    }
}
