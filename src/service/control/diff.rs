//! What differs between two snapshots, or between a snapshot and now.

use super::{Control, ControlCaller, SnapshotName, accounts::AccountStates};
use crate::{
    domain::{ids::AccountId, json_patch},
    service::{error::ServiceError, objects},
    store::{AccountEntries, COLLECTIONS, Collection, ObjectChangeKind, Stored},
};
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// An object that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectDiff {
    /// The account of the object.
    pub account: AccountId,
    /// The plural name of its kind.
    pub collection: &'static str,
    /// The id of the object.
    pub id: String,
    /// The operations that turn the first state into the second.
    pub patch: Vec<Value>,
    /// What happened to the object from the first state to the second.
    pub change: ObjectChangeKind,
}

impl Control {
    /// The objects that differ between two snapshots; `None` is now. May be slow.
    ///
    /// # Errors
    /// There is no such snapshot; the store failed.
    pub fn diff(
        &self,
        caller: &ControlCaller,
        from: &SnapshotName,
        to: Option<&SnapshotName>,
    ) -> Result<Vec<ObjectDiff>, ServiceError> {
        let from = self.snapshots.states(caller.scope(), from)?;
        let to = match to {
            Some(name) => self.snapshots.states(caller.scope(), name)?,
            None => Arc::new(self.read_accounts(caller.scope())?),
        };
        diff_accounts(&from, &to)
    }
}

fn diff_accounts(
    from: &AccountStates,
    to: &AccountStates,
) -> Result<Vec<ObjectDiff>, ServiceError> {
    let nothing = AccountEntries::default();
    let accounts: BTreeSet<&AccountId> = from.keys().chain(to.keys()).collect();
    let mut diffs = Vec::new();
    for account in accounts {
        let states = [from, to].map(|states| states.get(account).unwrap_or(&nothing));
        for collection in COLLECTIONS {
            diff_collection(account, collection, states, &mut diffs)?;
        }
    }
    Ok(diffs)
}

/// Objects of the first state come first, in the order of their tinyIds, then new ones.
fn diff_collection(
    account: &AccountId,
    collection: Collection,
    [from, to]: [&AccountEntries; 2],
    diffs: &mut Vec<ObjectDiff>,
) -> Result<(), ServiceError> {
    let mut new: HashMap<&str, &Stored> = to.records(collection).collect();
    let mut add = |id: &str, from: Option<&Stored>, to: Option<&Stored>| {
        let change = match (from, to) {
            (None, _) => ObjectChangeKind::Created,
            (Some(_), None) => ObjectChangeKind::Deleted,
            (Some(_), Some(_)) => ObjectChangeKind::Updated,
        };
        let [from, to] = [from, to].map(|record| record.map(objects::decode::<Value>).transpose());
        diffs.push(ObjectDiff {
            account: account.clone(),
            collection: collection.name(),
            id: id.to_owned(),
            patch: json_patch::diff(from?.as_ref(), to?.as_ref()),
            change,
        });
        Ok::<_, ServiceError>(())
    };

    for (id, record) in from.records(collection) {
        match new.remove(id) {
            // Unchanged records share their bytes or have the same.
            Some(other) if other == record => {}
            other => add(id, Some(record), other)?,
        }
    }

    for (id, record) in to.records(collection) {
        if new.contains_key(id) {
            add(id, None, Some(record))?;
        }
    }

    Ok(())
}
