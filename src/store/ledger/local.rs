//! The ledger of the local store: the engine decides, so proposals never conflict.
//!
//! After a failed write the engine is unusable, even once the disk has room again, and it is
//! unknown how much of the last commit is on disk. So recovery throws the engine away beneath its
//! readers, and the files decide.

use super::{CommitLimits, Ledger, RecoveryError, Verdict};
use crate::store::{
    OpenError, Options, StoreError,
    entries::Changes,
    local::{open, recovery},
    replica::{CurrentReplica, Replica},
};
use std::{
    io,
    path::{Path, PathBuf},
};

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
        self.reopen(current).map_err(RecoveryError::from)
    }
}

impl LocalLedger {
    /// Makes one attempt. Readers keep their replica until the folder is writable.
    fn reopen(&self, current: &CurrentReplica) -> Result<(), ReopenError> {
        recovery::probe(&self.folder).map_err(ReopenError::Probe)?;
        if !current.close(&self.folder) {
            return Err(ReopenError::ReadersActive);
        }

        // Before the engine reads anything: after a failed sync the kernel may take dirty pages for
        // clean, so what is read now may not be on disk.
        recovery::rewrite(&self.folder).map_err(ReopenError::Rewrite)?;

        // Without a token secret, no new store is created should the files be gone.
        let options = Options {
            token_secret: None,
            ..self.options.clone()
        };
        let engine = open::open(&self.folder, &options)?;

        // Install the engine even if the test commit fails: readers can use it meanwhile.
        let committed = engine
            .apply(&Changes::default())
            .and_then(|()| engine.sync());
        current.replace(engine);

        committed.map_err(ReopenError::TestCommit)
    }
}

/// Why the store does not accept writes yet.
#[derive(Debug, thiserror::Error)]
enum ReopenError {
    #[error("the folder cannot be written: {0}")]
    Probe(io::Error),
    #[error("readers are still using it")]
    ReadersActive,
    #[error("cannot rewrite its files: {0}")]
    Rewrite(io::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("it opened, but a test commit failed: {0}")]
    TestCommit(StoreError),
}

impl From<ReopenError> for RecoveryError {
    fn from(error: ReopenError) -> Self {
        let kept_readers = matches!(error, ReopenError::Probe(_) | ReopenError::ReadersActive);
        Self {
            kept_readers,
            cause: error.into(),
        }
    }
}
