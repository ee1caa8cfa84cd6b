//! The seam between the writer and whatever decides which commits count.
//!
//! The ledger of the local store is the engine itself. A ledger that several writers share can
//! reject a proposal because another writer was faster; then the writer runs the commands of the
//! batch again on the fresh state.

mod contended;
mod local;

pub(super) use contended::ContendedLedger;
pub(super) use local::LocalLedger;

use super::{
    StoreError,
    entries::Changes,
    replica::{CurrentReplica, Replica},
};
use std::error::Error;

/// Decides which commits count, and makes them durable.
pub(super) trait Ledger: Send {
    /// How large a proposal may be.
    fn limits(&self) -> CommitLimits;

    /// Commits a proposal: makes it durable and applies it to the replica, which does not publish it
    /// yet. After a conflict the replica shows the state that the proposal has to be based on.
    ///
    /// # Errors
    /// It is unknown whether the proposal was committed. The store needs recovery.
    fn commit(&mut self, replica: &Replica, proposal: &Changes) -> Result<Verdict, StoreError>;

    /// Makes one attempt to replace a failed replica by a working one.
    ///
    /// # Errors
    /// It does not work yet.
    fn recover(&mut self, current: &CurrentReplica) -> Result<(), RecoveryError>;
}

/// The decision about a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is durable and applied.
    Committed,
    /// Another writer changed the state that it was based on. Nothing was changed.
    Conflict,
}

/// When the writer stops adding commands to a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommitLimits {
    /// Number of commands.
    pub(super) commands: usize,
    /// Number of keys changed.
    pub(super) keys: usize,
    /// Size of all keys and values changed.
    pub(super) bytes: usize,
    /// Whether proposals can conflict, so that commands may have to run again.
    pub(super) can_conflict: bool,
}

/// Why a recovery attempt failed.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub(super) struct RecoveryError {
    /// Whether readers kept their replica during the attempt.
    pub(super) kept_readers: bool,
    #[source]
    pub(super) cause: Box<dyn Error + Send + Sync>,
}
