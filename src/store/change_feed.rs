//! Tells one observer which objects each commit has changed.

use super::{
    collection::{self, Collection},
    entries::{Changes, Stored},
    mvcc::Mvcc,
};
use crate::domain::ids::AccountId;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// A change of one object, in a commit that readers can see.
#[derive(Clone, Debug)]
pub struct ObjectChange {
    /// The account of the object.
    pub account: AccountId,
    /// The kind of the object.
    pub collection: Collection,
    /// What happened.
    pub kind: ObjectChangeKind,
    /// The object, or what it was before it was deleted.
    pub record: Stored,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectChangeKind {
    /// It was created.
    Created,
    /// It was replaced.
    Updated,
    /// It was deleted.
    Deleted,
}

impl ObjectChangeKind {
    /// The name that the control plane shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// Called on the writer's thread after each commit, so it must be quick. Without changes, it is
/// unknown what has changed: the store was reopened.
pub type ChangeObserver = Box<dyn Fn(Option<Vec<ObjectChange>>) + Send + Sync>;

/// The observer, if there is one. Without it a commit costs one atomic load more.
#[derive(Clone, Default)]
pub(super) struct ObserverSlot(Arc<OnceLock<ChangeObserver>>);

impl fmt::Debug for ObserverSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObserverSlot")
    }
}

impl ObserverSlot {
    /// Sets the observer, unless there is one.
    pub(super) fn set(&self, observer: ChangeObserver) {
        // A second observer would be a second feed; callers share one.
        let _ignored = self.0.set(observer);
    }

    /// What a commit changes, if anyone observes it. Must be called before the commit is published,
    /// while the old values still are.
    pub(super) fn collect(&self, changes: &Changes, mvcc: &Mvcc) -> Option<Vec<ObjectChange>> {
        self.0.get()?;
        let changed = changes.iter().filter_map(|(tree, key, value)| {
            let (collection, is_record) = collection::of_tree(tree)?;
            let old = is_record.then(|| mvcc.published(tree, key, None))?;
            let (kind, record) = match (value, old) {
                (Some(new), None) => (ObjectChangeKind::Created, new.clone()),
                (Some(new), Some(_)) => (ObjectChangeKind::Updated, new.clone()),
                (None, Some(old)) => (ObjectChangeKind::Deleted, old),
                (None, None) => return None,
            };
            let account = collection.account_of(&record)?;
            Some(ObjectChange {
                account,
                collection,
                kind,
                record,
            })
        });
        Some(changed.collect())
    }

    /// Passes on the changes of a commit, which is published now.
    pub(super) fn notify(&self, changes: Option<Vec<ObjectChange>>) {
        if let (Some(observer), Some(changes)) = (self.0.get(), changes) {
            observer(Some(changes));
        }
    }

    /// The store was reopened, so the changes of the last commits are unknown.
    pub(super) fn notify_reopened(&self) {
        if let Some(observer) = self.0.get() {
            observer(None);
        }
    }
}
