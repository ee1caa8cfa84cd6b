//! A ledger that conflicts at random, as one that several writers share does. For tests.

use super::{CommitLimits, Ledger, RecoveryError, Verdict};
use crate::store::{
    StoreError,
    entries::Changes,
    replica::{CurrentReplica, Replica},
    trees::Tree,
};

/// Key in `meta` that the imaginary other writer changes.
const FOREIGN_WRITES: &[u8] = b"foreign_writes";

/// Wraps a ledger and lets an imaginary other writer win every other proposal or so.
#[derive(Debug)]
pub(in crate::store) struct ContendedLedger<L> {
    inner: L,
    random: u64,
    foreign_writes: u64,
}

impl<L> ContendedLedger<L> {
    /// The same seed gives the same conflicts.
    pub(in crate::store) fn new(inner: L, seed: u64) -> Self {
        Self {
            inner,
            random: seed,
            foreign_writes: 0,
        }
    }

    fn has_conflict(&mut self) -> bool {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.random >> 63 == 1
    }
}

impl<L: Ledger> Ledger for ContendedLedger<L> {
    fn limits(&self) -> CommitLimits {
        CommitLimits {
            can_conflict: true,
            ..self.inner.limits()
        }
    }

    fn commit(&mut self, replica: &Replica, proposal: &Changes) -> Result<Verdict, StoreError> {
        if !self.has_conflict() {
            return self.inner.commit(replica, proposal);
        }

        self.foreign_writes = self.foreign_writes.wrapping_add(1);
        let mut foreign = Changes::default();
        let value = self.foreign_writes.to_be_bytes().to_vec();
        foreign.insert(Tree::Meta, FOREIGN_WRITES.to_vec(), Some(value.into()));
        self.inner.commit(replica, &foreign)?;
        replica.publish(&foreign);

        Ok(Verdict::Conflict)
    }

    fn recover(&mut self, current: &CurrentReplica) -> Result<(), RecoveryError> {
        self.inner.recover(current)
    }
}
