//! The one writer: a thread that takes all commands in turn and gives those that wait together one
//! durable commit.
//!
//! Because nobody else writes, a command may read, decide and write without any lock. Its answer is
//! sent only after the disk has what it answers. When a commit fails nobody knows what is on disk,
//! and when a read fails the engine does not go on, so the writer refuses whatever comes until the
//! store was handle anew and works (`recovery`).

use super::{
    Options, StallCause, StoreError, Transaction, WriterStatistics,
    command_queue::{CommandQueue, QueuedCommand},
    entries::Changes,
    handle::{EngineHandle, Replica},
    index::Change,
    local::Engine,
    local::recovery::{Backoff, Recovery, RecoveryError},
    mvcc::UndoLog,
    writer_state::WriterState,
};
use crate::clock::Clock;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};
use tokio::sync::oneshot;

/// A command together with the way back to whoever waits for it.
pub(super) type Command = Box<dyn FnOnce(&mut Batch<'_>) -> Answer + Send>;

/// Tells the one who waits how the commit ended.
pub(super) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Changes of the commit that is being gathered.
pub(super) struct Batch<'a> {
    handle: &'a EngineHandle,
    changes: Changes,
    objects: Vec<Change>,
    /// Of all keys and values that were changed.
    bytes: usize,
}

/// The writer thread, seen from outside.
#[derive(Debug)]
pub(super) struct WriterThread {
    queue: Arc<CommandQueue>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    state: Arc<WriterState>,
}

impl WriterThread {
    /// Starts it.
    pub(super) fn start(
        replica: Arc<Replica>,
        folder: &Path,
        options: &Options,
    ) -> io::Result<Self> {
        let queue = Arc::clone(&replica.queue);
        let state = Arc::new(WriterState::default());
        state.set_running();

        let writer = Writer {
            replica,
            commands: queue.open(options.queue),
            folder: folder.to_owned(),
            options: options.clone(),
            state: Arc::clone(&state),
        };

        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run())?;

        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
            state,
        })
    }

    pub(super) async fn run<T, E, F>(&self, command: F) -> Result<T, E>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let command: Command = Box::new(move |batch| {
            let outcome = batch.run(command);
            Box::new(move |committed| {
                // Nobody listens any more when the client has gone; what it asked for is done all
                // the same.
                let _ignored = sender.send(committed.map_err(E::from).and(outcome));
            })
        });

        let answered = match self
            .state
            .check_writable()
            .and_then(|()| self.queue.enqueue(command))
        {
            Ok(()) => receiver.await.map_err(|_dropped| StoreError::Unavailable),
            Err(refused) => Err(refused),
        };

        answered.unwrap_or_else(|refused| {
            self.state.record_refusal(&refused);
            Err(refused.into())
        })
    }

    pub(super) fn stop(&self) {
        self.queue.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("The writer of the store broke down");
        }
    }

    /// # Errors
    /// The store is not local::open, or the disk holds the writer up.
    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        self.state.check_writable()
    }

    pub(super) fn statistics(&self) -> WriterStatistics {
        self.state.statistics(self.queue.waiting())
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the thread has.
struct Writer {
    replica: Arc<Replica>,
    commands: mpsc::Receiver<QueuedCommand>,
    folder: PathBuf,
    options: Options,
    state: Arc<WriterState>,
}

/// Nobody can send commands any more.
struct QueueClosed;

impl Writer {
    fn run(self) {
        let running = self.state.start();
        // Whatever breaks down on this thread, it goes on: without it there are no writes, and no
        // recovery, until a restart.
        while let Err(error) = catch_panic("the writer broke down", || self.serve()) {
            self.state.set_stopped();
            self.state.record_fault();
            log::error!("The store takes no writes until it was handle anew cause=\"{error}\"");
            if let Err(QueueClosed) = self.recover() {
                break;
            }
            self.state.record_recovery();
            log::warn!("The store takes writes again");
            self.state.set_running();
        }

        drop(running);
        if !self.replica.end(&self.folder) {
            log::warn!("The files of the store are still being read");
        }
    }

    /// Serves until nobody can send any more (`Ok`), a commit fails, or somebody saw that the
    /// engine does not go on.
    fn serve(&self) -> Result<(), StoreError> {
        let handle = self.replica.acquire()?;
        while let Ok(first) = self.commands.recv() {
            self.serve_batch(&handle, first)?;
        }
        Ok(())
    }

    /// Runs the first command and those that wait behind it, and commits what they changed.
    fn serve_batch(&self, handle: &EngineHandle, first: QueuedCommand) -> Result<(), StoreError> {
        let busy = self.state.begin_batch();
        let mut batch = Batch {
            handle,
            changes: Changes::default(),
            objects: Vec::new(),
            bytes: 0,
        };

        let mut waiting = std::iter::once(first)
            .chain(self.commands.try_iter())
            .take(self.options.batch);
        let mut answers = Vec::new();

        // Many small commands share a commit, large ones do not: all of it is in memory, several
        // times, until it is durable.
        while batch.bytes < MAX_COMMIT_BYTES
            && let Some(command) = waiting.next()
        {
            answers.push(command.run(&mut batch));
        }

        // What is broken may be the engine, after a fault of the disk. It is thrown away then,
        // whatever state it is in.
        let commit = || self.commit(handle.engine(), &batch.changes, &batch.objects);

        let outcome = handle
            .check_health()
            .and_then(|()| catch_panic("the commit broke down", commit));

        self.state.record_answered(answers.len());
        if let Err(fault) = &outcome {
            handle.fail(fault.clone());
            self.state.set_stopped();
        }

        drop(busy);

        // Why is for the log, once; whoever waits is told to try elsewhere or later.
        let result = outcome
            .as_ref()
            .copied()
            .map_err(|_| StoreError::Unavailable);
        for answer in answers {
            // An answer that nobody waits for any more is dropped here. If that breaks down, it is
            // nobody else's fault.
            let _ignored = catch_unwind(AssertUnwindSafe(|| answer(result.clone())));
        }

        outcome
    }

    /// Makes the changes durable, then visible. Without changes there is nothing to do: all that
    /// the commands of this batch saw was durable already.
    fn commit(
        &self,
        engine: &Engine,
        changes: &Changes,
        objects: &[Change],
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }

        self.state.set_activity(StallCause::Disk);
        let mut old = UndoLog::default();
        for (tree, key, _) in changes.iter() {
            old.insert(tree, key.clone(), engine.get(tree, key)?);
        }

        self.replica.mvcc.record_undo(old);
        engine.apply(changes)?;
        engine.sync()?;
        self.state.set_activity(StallCause::Work);
        self.replica.publish(objects);
        self.state.record_commit();

        Ok(())
    }

    /// Refuses all commands until the store works.
    fn recover(&self) -> Result<(), QueueClosed> {
        let recovery = Recovery::new(&self.replica, &self.folder, &self.options);
        let mut backoff = Backoff::default();
        let mut delay = backoff.initial();
        let mut last_fault = String::new();

        loop {
            self.refuse_commands_for(delay)?;
            let began = Clock::System.stopwatch();
            let attempt = catch_unwind(AssertUnwindSafe(|| recovery.attempt()));
            let Err(error) = attempt.unwrap_or(Err(RecoveryError::Panicked)) else {
                return Ok(());
            };

            delay = backoff.after(&error, began.elapsed());
            let fault = error.to_string();
            if fault != last_fault {
                log::warn!("The store cannot be handle anew yet cause=\"{fault}\"");
                last_fault = fault;
            }
        }
    }

    /// Drops what comes, which answers it.
    fn refuse_commands_for(&self, delay: Duration) -> Result<(), QueueClosed> {
        let until = Clock::System.stopwatch() + delay;
        loop {
            match self
                .commands
                .recv_timeout(until.saturating_duration_since(Clock::System.stopwatch()))
            {
                Ok(command) => drop(command),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(QueueClosed),
            }
        }
    }
}

/// A commit takes no further command once it changes so many bytes.
const MAX_COMMIT_BYTES: usize = 8 << 20;

/// Does something that may panic, which is a fault then like any other.
fn catch_panic<T>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| Err(StoreError::damaged(what)))
}

impl Batch<'_> {
    /// Runs a command. One that panics has changed nothing, and is the only one that is answered
    /// so.
    fn run<T, E>(
        &mut self,
        command: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut transaction = Transaction::new(self.handle, &self.changes);
        let outcome = catch_unwind(AssertUnwindSafe(|| command(&mut transaction)));
        let outcome = outcome
            .unwrap_or_else(|_panic| Err(StoreError::damaged("a command broke down").into()))?;
        let (changes, objects) = transaction.into_changes();
        self.bytes = self.bytes.saturating_add(bytes_of(&changes));
        self.changes.extend(changes);
        self.objects.extend(objects);
        Ok(outcome)
    }
}

fn bytes_of(changes: &Changes) -> usize {
    let bytes = changes.iter().map(|(_, key, value)| {
        key.len()
            .saturating_add(value.as_ref().map_or(0, |value| value.as_ref().len()))
    });
    bytes.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests;
