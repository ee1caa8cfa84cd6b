//! What the writer thread does.

use super::command::Command;

/// One item of the job queue.
pub(super) enum Job {
    /// Runs a command and commits its changes.
    Command(Box<dyn Command>),
    /// Makes the writer check whether the replica has failed.
    Probe,
}
