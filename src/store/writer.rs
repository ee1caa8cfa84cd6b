//! The one writer: a thread that takes all commands in turn and gives those that wait together one durable commit.
//!
//! Because nobody else writes, a command may read, decide and write without any lock. Its answer is sent only after
//! the disk has what it answers. When a flush fails nobody knows what is on disk, so the writer stops for good.

use super::{
    Shared, StoreError, Transaction, WriterStatistics,
    engine::Changes,
    versions::{OldValues, Touched},
};
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};
use tokio::sync::oneshot;

/// A command together with the way back to whoever waits for it.
type Command = Box<dyn FnOnce(&mut Batch<'_>) -> Answer + Send>;

/// Tells the one who waits how the commit ended.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Changes of the commit that is being gathered.
struct Batch<'a> {
    shared: &'a Shared,
    changes: Changes,
    touched: Touched,
}

#[derive(Debug, Default)]
struct Progress {
    commands: AtomicU64,
    commits: AtomicU64,
    running: AtomicBool,
}

/// Until this is dropped the writer is said to run. A panic drops it too.
struct Running<'a>(&'a Progress);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.store(false, Ordering::SeqCst);
    }
}

/// The writer thread, seen from outside.
#[derive(Debug)]
pub(super) struct WriterThread {
    queue: RwLock<Option<mpsc::SyncSender<Command>>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    progress: Arc<Progress>,
}

impl WriterThread {
    /// Starts it. `queue` commands may wait, `batch` of them share a commit.
    pub(super) fn start(shared: Arc<Shared>, queue: usize, batch: usize) -> io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(queue);
        let progress = Arc::new(Progress { running: AtomicBool::new(true), ..Progress::default() });
        let seen = Arc::clone(&progress);
        let thread = thread::Builder::new().name("store-writer".into()).spawn(move || {
            let running = Running(&seen);
            let stopped = run(&shared, &receiver, batch, &seen);
            drop(running);
            if let Err(error) = stopped {
                log::error!("The store has stopped and takes no more writes until the next start cause=\"{error}\"");
            }
        })?;
        Ok(Self { queue: RwLock::new(Some(sender)), thread: Mutex::new(Some(thread)), progress })
    }

    pub(super) async fn run<T, E, F>(&self, command: F) -> Result<T, E>
    where
        F: FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.enqueue(Box::new(move |batch| {
            let outcome = batch.run(command);
            Box::new(move |committed| {
                // Nobody listens any more when the client has gone; what it asked for is done all the same.
                let _gone = sender.send(committed.map_err(E::from).and(outcome));
            })
        }))?;
        receiver.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    fn enqueue(&self, command: Command) -> Result<(), StoreError> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.as_ref().ok_or(StoreError::Stopped)?;
        sender.try_send(command).map_err(|refused| match refused {
            mpsc::TrySendError::Full(_) => StoreError::Busy,
            mpsc::TrySendError::Disconnected(_) => StoreError::Stopped,
        })
    }

    pub(super) fn stop(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("The writer of the store broke down");
        }
    }

    pub(super) fn statistics(&self) -> WriterStatistics {
        WriterStatistics {
            commands: self.progress.commands.load(Ordering::Relaxed),
            commits: self.progress.commits.load(Ordering::Relaxed),
            running: self.progress.running.load(Ordering::SeqCst),
        }
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Serves until nobody can send any more (`Ok`) or a commit fails.
fn run(
    shared: &Shared,
    queue: &mpsc::Receiver<Command>,
    batch_size: usize,
    progress: &Progress,
) -> Result<(), StoreError> {
    while let Ok(first) = queue.recv() {
        let mut batch = Batch { shared, changes: Changes::new(), touched: Touched::new() };
        let waiting = std::iter::once(first).chain(queue.try_iter()).take(batch_size);
        let answers: Vec<Answer> = waiting.map(|command| command(&mut batch)).collect();
        let outcome = commit(shared, &batch.changes, &batch.touched, progress);
        progress.commands.fetch_add(answers.len().try_into().unwrap_or_default(), Ordering::Relaxed);
        if outcome.is_err() {
            progress.running.store(false, Ordering::SeqCst);
        }
        // Why is for the log, once, where this thread ends; whoever waits is told to try elsewhere or later.
        let told = outcome.as_ref().copied().map_err(|_| StoreError::Stopped);
        for answer in answers {
            answer(told.clone());
        }
        outcome?;
    }
    Ok(())
}

/// Makes the changes durable, then visible. Without changes there is nothing to do: all that the commands of this batch
/// saw was durable already.
fn commit(shared: &Shared, changes: &Changes, touched: &Touched, progress: &Progress) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let old = changes.keys().map(|(tree, key)| Ok(((*tree, key.clone()), shared.engine.get(*tree, key)?)));
    let old = old.collect::<Result<OldValues, StoreError>>()?;
    shared.versions.prepare(old);
    shared.engine.apply(changes)?;
    shared.engine.sync()?;
    shared.versions.publish(touched);
    progress.commits.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

impl Batch<'_> {
    fn run<T, E>(&mut self, command: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut transaction = Transaction::new(&self.shared.engine, &self.changes);
        let outcome = command(&mut transaction)?;
        let (changes, touched) = transaction.into_changes();
        self.changes.extend(changes);
        self.touched.extend(touched);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use crate::store::{Durability, Options, Store, StoreError};

    #[test]
    fn a_writer_that_broke_down_is_not_said_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            cache_bytes: 1 << 20,
            queue: 1,
            batch: 1,
            durability: Durability::Ephemeral,
            token_secret: Some("secret".into()),
        };
        let store = Store::open(folder.path(), &options).unwrap();
        assert!(store.writer_statistics().running);
        let outcome: Result<(), StoreError> =
            actix_rt::System::new().block_on(store.write(|_| panic!("planted by a test")));
        assert!(matches!(outcome, Err(StoreError::Stopped)), "{outcome:?}");
        store.close();
        assert!(!store.writer_statistics().running);
    }
}
