//! Named snapshots of accounts, in memory. They share the buffers of the store.

use super::{Control, ControlCaller, ControlScope, ControlWriter, accounts::AccountStates};
use crate::{
    domain::{body::excerpt, rejection::Rejection, timestamp::Timestamp},
    service::error::ServiceError,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Maximum length of a name.
const MAX_NAME_LEN: usize = 64;

/// The name of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotName(String);

impl SnapshotName {
    /// Parses a name: 1 to 64 of `A-Za-z0-9._-`.
    ///
    /// # Errors
    /// The name has other characters, or too many.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let is_valid = (1..=MAX_NAME_LEN).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(Rejection::invalid(format!(
                "The name of a snapshot must have 1 to {MAX_NAME_LEN} of A-Z a-z 0-9 . _ -, but was \
                 '{}'",
                excerpt(text)
            )))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known about a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Its name.
    pub name: SnapshotName,
    /// When it was taken.
    pub at: Timestamp,
    /// Number of objects.
    pub objects: usize,
    /// Size of all keys and values in bytes.
    pub bytes: usize,
}

/// Limits of snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotLimits {
    /// Number of snapshots of an account.
    pub per_account: usize,
    /// Size of all snapshots of all accounts in bytes.
    pub bytes: usize,
}

/// The snapshots of all accounts. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Snapshots {
    limits: SnapshotLimits,
    kept: Arc<Mutex<HashMap<ControlScope, BTreeMap<SnapshotName, KeptSnapshot>>>>,
}

#[derive(Clone, Debug)]
struct KeptSnapshot {
    info: SnapshotInfo,
    states: Arc<AccountStates>,
}

impl Snapshots {
    pub(super) fn new(limits: SnapshotLimits) -> Self {
        Self {
            limits,
            kept: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ControlScope, BTreeMap<SnapshotName, KeptSnapshot>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The states of a snapshot.
    pub(super) fn states(
        &self,
        scope: &ControlScope,
        name: &SnapshotName,
    ) -> Result<Arc<AccountStates>, Rejection> {
        let kept = self.lock();
        let found = kept.get(scope).and_then(|kept| kept.get(name));
        found
            .map(|found| Arc::clone(&found.states))
            .ok_or(Rejection::NotFound("Snapshot"))
    }

    fn insert(&self, scope: &ControlScope, snapshot: KeptSnapshot) -> Result<(), Rejection> {
        let mut kept = self.lock();
        let name = &snapshot.info.name;
        let others = kept
            .iter()
            .flat_map(|(other, kept)| kept.values().map(move |kept| (other, kept)))
            .filter(|(other, kept)| *other != scope || kept.info.name != *name);
        let (mut own, mut bytes) = (0_usize, snapshot.info.bytes);
        for (other, kept) in others {
            own = own.saturating_add(usize::from(other == scope));
            bytes = bytes.saturating_add(kept.info.bytes);
        }

        let SnapshotLimits {
            per_account,
            bytes: max_bytes,
        } = self.limits;
        if own >= per_account {
            return Err(Rejection::Conflict(format!(
                "The account has {per_account} snapshots, the most that test.snapshots allows: \
                 delete one"
            )));
        }
        if bytes > max_bytes {
            return Err(Rejection::Conflict(format!(
                "With this snapshot, all would have {bytes} bytes, but test.snapshot_bytes allows \
                 {max_bytes}: delete some"
            )));
        }

        kept.entry(scope.clone())
            .or_default()
            .insert(name.clone(), snapshot);
        Ok(())
    }
}

impl Control {
    /// Takes a snapshot, in place of one with the same name.
    ///
    /// # Errors
    /// There are too many snapshots; the store failed.
    pub fn take_snapshot(
        &self,
        writer: &ControlWriter,
        name: SnapshotName,
    ) -> Result<SnapshotInfo, ServiceError> {
        let scope = writer.scope();
        let states = self.read_accounts(scope)?;
        let info = SnapshotInfo {
            name,
            at: self.now_of(scope.account()),
            objects: states.values().map(|state| state.record_count()).sum(),
            bytes: states.values().map(|state| state.bytes()).sum(),
        };

        self.snapshots.insert(
            scope,
            KeptSnapshot {
                info: info.clone(),
                states: Arc::new(states),
            },
        )?;
        Ok(info)
    }

    /// The snapshots of the caller, by name.
    pub fn list_snapshots(&self, caller: &ControlCaller) -> Vec<SnapshotInfo> {
        let kept = self.snapshots.lock();
        let own = kept.get(caller.scope());
        own.map_or_else(Vec::new, |own| {
            own.values().map(|kept| kept.info.clone()).collect()
        })
    }

    /// Makes the accounts what they were when a snapshot was taken.
    ///
    /// # Errors
    /// There is no such snapshot; an id of it exists in another account now; the store failed.
    pub async fn restore_snapshot(
        &self,
        writer: &ControlWriter,
        name: &SnapshotName,
    ) -> Result<(), ServiceError> {
        let states = self.snapshots.states(writer.scope(), name)?;
        self.replace_accounts(writer.scope(), states).await
    }

    /// Deletes a snapshot.
    ///
    /// # Errors
    /// There is no such snapshot.
    pub fn delete_snapshot(
        &self,
        writer: &ControlWriter,
        name: &SnapshotName,
    ) -> Result<(), Rejection> {
        let mut kept = self.snapshots.lock();
        let deleted = kept
            .get_mut(writer.scope())
            .and_then(|own| own.remove(name));
        deleted.map(drop).ok_or(Rejection::NotFound("Snapshot"))
    }

    /// Deletes all snapshots of the writer, or those of all accounts.
    pub fn delete_snapshots(&self, writer: &ControlWriter) {
        let mut kept = self.snapshots.lock();
        match writer.scope() {
            ControlScope::AllAccounts => kept.clear(),
            scope @ ControlScope::Account(_) => drop(kept.remove(scope)),
        }
    }
}
