//! Where log lines go: gathered in memory and written together a moment later, since a system call for each line would
//! cost a request a tenth of its time.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long a line waits for others.
const MOMENT: Duration = Duration::from_millis(10);

/// More than this is not kept for a standard error that nobody reads; later lines are dropped, and counted.
const MOST_WAITING: usize = 1 << 20;

/// A handle of the one sink. Cloning is cheap.
#[derive(Clone, Debug)]
pub(super) struct Sink(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    first_line: Condvar,
    /// Held while writing, so that lines keep their order.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
}

impl Sink {
    /// Starts the thread that writes.
    pub(super) fn start() -> io::Result<Self> {
        let sink = Self(Arc::default());
        let writer = sink.clone();
        thread::Builder::new().name("log-writer".into()).spawn(move || {
            loop {
                writer.wait_for_a_line();
                thread::sleep(MOMENT);
                writer.drain();
            }
        })?;
        Ok(sink)
    }

    /// Writes what is waiting now.
    pub(super) fn drain(&self) {
        let _in_order = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting { mut lines, dropped } = std::mem::take(&mut *self.waiting());
        if dropped > 0 {
            lines.extend_from_slice(format!("{dropped} log lines were dropped: nobody read them in time\n").as_bytes());
        }
        // Nobody can be told that standard error is gone.
        let _nowhere_to_complain = io::stderr().write_all(&lines);
    }

    fn wait_for_a_line(&self) {
        let mut waiting = self.waiting();
        while waiting.lines.is_empty() {
            waiting = self.0.first_line.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.waiting();
        if waiting.lines.len() > MOST_WAITING {
            waiting.dropped = waiting.dropped.saturating_add(1);
            return Ok(line.len());
        }
        let first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if first {
            self.0.first_line.notify_one();
        }
        Ok(line.len())
    }

    /// Lines are written in a moment; [`drain`](Self::drain) writes them now.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
