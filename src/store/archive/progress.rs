//! How far long work has come, for whoever wants to show it, and whether it is to go on.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The header in which a server tells in how many steps it sends a store: for a backup these are
/// the entries of objects, for an export lines.
pub const STEPS_HEADER: &str = "X-Steps";

/// A step of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A stage begins.
    Begin {
        /// What is done in it: "reading", …
        what: &'static str,
        /// How much there is to do; 0 when nobody knows.
        total: u64,
    },
    /// So much more is done.
    Advance(u64),
    /// The stage is over.
    End,
}

/// Takes the steps. Cloning is cheap.
#[derive(Clone)]
pub struct Progress {
    show: Arc<dyn Fn(Step) + Send + Sync>,
    stop: Arc<AtomicUsize>,
}

/// The work is not to go on.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("stopped by a signal; the store is as it was")]
pub struct Cancelled;

impl Progress {
    /// Shows steps by calling `show`, from whichever thread works.
    pub fn new(show: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self {
            show: Arc::new(show),
            stop: Arc::default(),
        }
    }

    /// The same for work that stops at its next step once this is not 0.
    pub fn cancelled_by(self, stop: Arc<AtomicUsize>) -> Self {
        Self { stop, ..self }
    }

    /// Shows nothing.
    pub fn none() -> Self {
        Self::new(|_| {})
    }

    pub(in crate::store) fn begin(&self, what: &'static str, total: u64) {
        (self.show)(Step::Begin { what, total });
    }

    /// So much more is done.
    ///
    /// # Errors
    /// It is enough.
    pub(super) fn advance(&self, by: u64) -> Result<(), Cancelled> {
        self.count(by);
        if self.stop.load(Ordering::Relaxed) == 0 {
            Ok(())
        } else {
            Err(Cancelled)
        }
    }

    /// So much more is done, by work that is not stopped in between.
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
