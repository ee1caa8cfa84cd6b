//! The single writer: a thread that runs all commands in turn, and commits those that wait at the
//! same time together (group commit).
//!
//! There is no other local writer, so a command reads, decides and writes without a lock. It is
//! answered only once its changes are durable. After a failed commit it is unknown what is on disk,
//! and after a failed read the engine is unusable; so the writer then refuses all commands until
//! recovery has succeeded.

use super::{
    Options, StallCause, StoreError, Transaction, WriterStatistics,
    backoff::Backoff,
    command::{Command, PendingCommand},
    entries::Changes,
    job::Job,
    job_queue::{JobQueue, QueuedJob},
    ledger::{CommitLimits, Ledger, RecoveryError, Verdict},
    replica::{CurrentReplica, Replica},
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

/// The writer thread, as the store sees it.
#[derive(Debug)]
pub(super) struct WriterThread {
    jobs: Arc<JobQueue>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    state: Arc<WriterState>,
}

impl WriterThread {
    pub(super) fn start(
        current: Arc<CurrentReplica>,
        jobs: Arc<JobQueue>,
        ledger: Box<dyn Ledger>,
        folder: &Path,
        options: &Options,
    ) -> io::Result<Self> {
        let state = Arc::new(WriterState::default());
        state.set_running();

        let mut writer = Writer {
            current,
            ledger,
            jobs: jobs.open(options.queue),
            folder: folder.to_owned(),
            state: Arc::clone(&state),
        };

        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run())?;

        Ok(Self {
            jobs,
            thread: Mutex::new(Some(thread)),
            state,
        })
    }

    /// Queues a command and waits for its answer.
    pub(super) async fn run<T, E, F>(&self, command: F) -> Result<T, E>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, E> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (command, answer) = PendingCommand::new(command);
        let queued = self
            .state
            .check_writable()
            .and_then(|()| self.jobs.push(Job::Command(Box::new(command))));

        let answered = match queued {
            Ok(()) => answer.await.map_err(|_dropped| StoreError::Unavailable),
            Err(refused) => Err(refused),
        };

        answered.unwrap_or_else(|refused| {
            self.state.record_refusal(&refused);
            Err(refused.into())
        })
    }

    /// Finishes what waits, and ends the thread.
    pub(super) fn stop(&self) {
        self.jobs.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("The writer thread of the store crashed");
        }
    }

    /// # Errors
    /// The store is closed or recovering, or the writer is stalled.
    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        self.state.check_writable()
    }

    pub(super) fn statistics(&self) -> WriterStatistics {
        self.state.statistics(self.jobs.waiting())
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The state of the thread.
struct Writer {
    current: Arc<CurrentReplica>,
    ledger: Box<dyn Ledger>,
    jobs: mpsc::Receiver<QueuedJob>,
    folder: PathBuf,
    state: Arc<WriterState>,
}

/// The queue is closed and empty.
struct QueueClosed;

impl Writer {
    fn run(&mut self) {
        let state = Arc::clone(&self.state);
        let running = state.start();

        // The thread survives any panic: without it there would be no writes, and no recovery,
        // until a restart.
        while let Err(error) = catch_panic("the writer crashed", || self.serve()) {
            state.set_stopped();
            state.record_fault();
            log::error!(
                "Commit failed; the store is read-only until it has been reopened cause=\"{error}\""
            );
            if let Err(QueueClosed) = self.recover() {
                break;
            }
            state.record_recovery();
            log::warn!("The store takes writes again");
            state.set_running();
        }

        drop(running);
        if !self.current.close_for_good(&self.folder) {
            log::warn!("The files of the store stay open: requests are still reading them");
        }
    }

    /// Serves jobs until the queue is closed (`Ok`), a commit fails, or a reader has found the
    /// engine unusable.
    fn serve(&mut self) -> Result<(), StoreError> {
        let replica = self.current.acquire()?;
        while let Ok(first) = self.jobs.recv() {
            self.serve_batch(&replica, first)?;
        }
        Ok(())
    }

    /// Runs the first job and those that wait behind it, and commits their changes.
    fn serve_batch(&mut self, replica: &Replica, first: QueuedJob) -> Result<(), StoreError> {
        let state = Arc::clone(&self.state);
        let busy = state.begin_batch();
        let limits = self.ledger.limits();
        // Take what waits already, but never wait for more: that would delay the first command.
        let mut waiting = std::iter::once(first)
            .chain(self.jobs.try_iter())
            .take(limits.commands);

        let mut batch = Batch::new(limits);
        while !batch.is_full()
            && let Some(job) = waiting.next()
        {
            match job.into_job() {
                Job::Command(command) => batch.add(replica, command),
                Job::Probe => {}
            }
        }
        drop(waiting);

        // After a fault of the disk, anything may panic. The replica is thrown away then.
        let commit = || self.commit(replica, &mut batch);
        // Check first: a reader may have found the engine unusable while the commands ran.
        let outcome = replica
            .check_health()
            .and_then(|()| catch_panic("the commit crashed", commit));

        // Everything that a client may look at after its answer is set before it is answered.
        state.record_answered(batch.commands.len());
        if let Err(fault) = &outcome {
            replica.fail(fault.clone());
            state.set_stopped();
        }

        drop(busy);
        batch.answer(&outcome);
        outcome
    }

    /// Makes the changes of a batch durable and then visible. Without changes there is nothing to
    /// do: everything that its commands have read is durable already.
    fn commit(&mut self, replica: &Replica, batch: &mut Batch) -> Result<(), StoreError> {
        while !batch.changes.is_empty() {
            self.state.set_activity(StallCause::Disk);
            let verdict = self.ledger.commit(replica, &batch.changes)?;
            self.state.set_activity(StallCause::Work);

            match verdict {
                Verdict::Committed => {
                    // Only now: what a reader has seen must survive a crash.
                    replica.publish(&batch.changes);
                    self.state.record_commit();
                    break;
                }
                Verdict::Conflict => batch.run_again(replica),
            }
        }

        Ok(())
    }

    /// Refuses all commands until recovery has succeeded.
    fn recover(&mut self) -> Result<(), QueueClosed> {
        let mut backoff = Backoff::default();
        let mut delay = backoff.initial();
        let mut last_cause = String::new();

        loop {
            // Refuse during the delay too: commands that pile up would wait for a recovery that may
            // fail.
            self.refuse_commands_for(delay)?;
            let began = Clock::System.stopwatch();
            let attempt = || self.ledger.recover(&self.current);
            let outcome = catch_unwind(AssertUnwindSafe(attempt)).unwrap_or_else(|_panic| {
                Err(RecoveryError {
                    kept_readers: false,
                    cause: "recovery crashed".into(),
                })
            });
            let Err(error) = outcome else {
                return Ok(());
            };

            delay = backoff.after(&error, began.elapsed());
            let cause = error.to_string();
            if cause != last_cause {
                log::warn!("The store cannot be reopened yet cause=\"{cause}\"");
                last_cause = cause;
            }
        }
    }

    /// Drops queued jobs, which refuses them, for as long as `delay`.
    fn refuse_commands_for(&self, delay: Duration) -> Result<(), QueueClosed> {
        let until = Clock::System.stopwatch() + delay;
        loop {
            let rest = until.saturating_duration_since(Clock::System.stopwatch());
            match self.jobs.recv_timeout(rest) {
                Ok(job) => drop(job),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(QueueClosed),
            }
        }
    }
}

/// The commands of one commit, and their changes.
struct Batch {
    limits: CommitLimits,
    commands: Vec<Box<dyn Command>>,
    changes: Changes,
    keys: usize,
    bytes: usize,
}

impl Batch {
    fn new(limits: CommitLimits) -> Self {
        Self {
            limits,
            commands: Vec::new(),
            changes: Changes::default(),
            keys: 0,
            bytes: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.keys >= self.limits.keys || self.bytes >= self.limits.bytes
    }

    /// Runs a command on the state that the previous ones have left.
    fn add(&mut self, replica: &Replica, mut command: Box<dyn Command>) {
        self.run(replica, &mut *command);
        self.commands.push(command);
    }

    fn run(&mut self, replica: &Replica, command: &mut dyn Command) {
        // A command sees what earlier commands of its batch did, as if they had been committed.
        let mut transaction = Transaction::new(replica, &self.changes);
        if !command.run(&mut transaction, self.limits.can_conflict) {
            return;
        }

        let changes = transaction.into_changes();
        for (_, key, value) in changes.iter() {
            let value = value.as_ref().map_or(0, |value| value.as_ref().len());
            self.keys = self.keys.saturating_add(1);
            self.bytes = self.bytes.saturating_add(key.len()).saturating_add(value);
        }
        self.changes.extend(changes);
    }

    /// Runs all commands again, in the same order, on the state of the replica.
    fn run_again(&mut self, replica: &Replica) {
        let mut commands = std::mem::take(&mut self.commands);
        // Commands have decided on a state that no longer exists, so none of their changes may
        // stay.
        (self.changes, self.keys, self.bytes) = (Changes::default(), 0, 0);
        for command in &mut commands {
            self.run(replica, &mut **command);
        }
        self.commands = commands;
    }

    /// Answers all commands. The log has the cause of a failure; callers only learn that the store
    /// is unavailable.
    fn answer(self, outcome: &Result<(), StoreError>) {
        for command in self.commands {
            let committed = match outcome {
                Ok(()) => Ok(()),
                Err(_) => Err(StoreError::Unavailable),
            };
            // An answer that its caller no longer awaits is dropped here. If that panics, the other
            // callers must not suffer.
            let _ignored = catch_unwind(AssertUnwindSafe(|| command.answer(committed)));
        }
    }
}

/// Turns a panic into an error.
fn catch_panic<T>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| Err(StoreError::damaged(what)))
}

#[cfg(test)]
mod tests;
