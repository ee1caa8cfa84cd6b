//! The ledger of the local store: the engine decides, so proposals never conflict.

use super::recovery;
use crate::store::{
    Options, StoreError,
    entries::Changes,
    ledger::{CommitLimits, Ledger, RecoveryError, Verdict},
    replica::{CurrentReplica, Replica},
};
use std::path::{Path, PathBuf};

/// A batch is closed once it changes this many bytes. A commit is in memory several times until it
/// is durable, so many small commands share one and large ones do not.
const MAX_COMMIT_BYTES: usize = 8 << 20;

/// The ledger of a store in one folder.
#[derive(Debug)]
pub(in crate::store) struct LocalLedger {
    folder: PathBuf,
    options: Options,
}

impl LocalLedger {
    pub(in crate::store) fn new(folder: &Path, options: &Options) -> Self {
        Self {
            folder: folder.to_owned(),
            options: options.clone(),
        }
    }
}

impl Ledger for LocalLedger {
    fn limits(&self) -> CommitLimits {
        CommitLimits {
            commands: self.options.batch,
            keys: usize::MAX,
            bytes: MAX_COMMIT_BYTES,
            can_conflict: false,
        }
    }

    fn commit(&mut self, replica: &Replica, proposal: &Changes) -> Result<Verdict, StoreError> {
        replica.apply(proposal)?;
        replica.sync()?;
        Ok(Verdict::Committed)
    }

    fn recover(&mut self, current: &CurrentReplica) -> Result<(), RecoveryError> {
        recovery::attempt(current, &self.folder, &self.options).map_err(RecoveryError::from)
    }
}
