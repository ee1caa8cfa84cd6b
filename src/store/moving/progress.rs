//! How far long work has come, for whoever wants to show it.

use std::{fmt, sync::Arc};

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
pub struct Progress(Arc<dyn Fn(Step) + Send + Sync>);

impl Progress {
    /// Shows steps by calling `show`, from whichever thread works.
    pub fn new(show: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self(Arc::new(show))
    }

    /// Shows nothing.
    pub fn none() -> Self {
        Self::new(|_| {})
    }

    pub(super) fn begin(&self, what: &'static str, total: u64) {
        (self.0)(Step::Begin { what, total });
    }

    pub(super) fn advance(&self, by: u64) {
        (self.0)(Step::Advance(by));
    }

    pub(super) fn end(&self) {
        (self.0)(Step::End);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
