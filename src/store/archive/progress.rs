//! Progress of long commands, and their cancellation.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Response header with the total number of steps: entries of objects for a backup, lines for an
/// export.
pub const STEPS_HEADER: &str = "X-Steps";

/// A progress event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A stage begins.
    Begin {
        /// The name of the stage: "reading", …
        what: &'static str,
        /// Number of steps; 0 if unknown.
        total: u64,
    },
    /// This many more steps are done.
    Advance(u64),
    /// The stage is complete.
    End,
}

/// Receives progress events and can cancel the work. Cloning is cheap.
#[derive(Clone)]
pub struct Progress {
    show: Arc<dyn Fn(Step) + Send + Sync>,
    stop: Arc<AtomicUsize>,
}

/// A signal cancelled the work.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted by a signal; the store is unchanged")]
pub struct Cancelled;

impl Progress {
    /// Calls `show` for every event, from the thread that does the work.
    pub fn new(show: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self {
            show: Arc::new(show),
            stop: Arc::default(),
        }
    }

    /// The work is cancelled at its next step once `stop` is not 0.
    pub fn cancelled_by(self, stop: Arc<AtomicUsize>) -> Self {
        Self { stop, ..self }
    }

    /// Ignores all events.
    pub fn none() -> Self {
        Self::new(|_| {})
    }

    pub(in crate::store) fn begin(&self, what: &'static str, total: u64) {
        (self.show)(Step::Begin { what, total });
    }

    /// Reports `by` more steps.
    ///
    /// # Errors
    /// The work was cancelled.
    pub(super) fn advance(&self, by: u64) -> Result<(), Cancelled> {
        self.count(by);
        if self.stop.load(Ordering::Relaxed) == 0 {
            Ok(())
        } else {
            Err(Cancelled)
        }
    }

    /// Reports `by` more steps of work that cannot be cancelled.
    pub(in crate::store) fn count(&self, by: u64) {
        (self.show)(Step::Advance(by));
    }

    pub(in crate::store) fn end(&self) {
        (self.show)(Step::End);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
