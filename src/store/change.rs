//! Which objects a commit changes, derived from the keys and values that it writes.
//!
//! Commands do not report their changes. So commits that no local command made, such as those of
//! another writer, keep indexes and caches correct too.

use super::{
    StoreError,
    collection::{self, Collection},
    entries::Stored,
    trees::{self, Tree},
};
use crate::domain::ids::AccountId;

/// The change of one object.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) collection: Collection,
    pub(super) account: AccountId,
    pub(super) kind: ChangeKind,
}

/// What happened to the object.
#[derive(Clone, Debug)]
pub(super) enum ChangeKind {
    /// It was created or replaced by this record.
    Put(Stored),
    /// The object with this tinyId was deleted.
    Delete(u64),
}

impl Change {
    /// The change that writing `value` to `key`, or removing it, makes. `None` for entries that do
    /// not decide whether an object exists and what it is.
    ///
    /// A record names its account; a deleted one is gone, so deletion is read off the index key.
    pub(super) fn from_entry(tree: Tree, key: &[u8], value: Option<&Stored>) -> Option<Self> {
        let (collection, is_record) = collection::of_tree(tree)?;
        match (is_record, value) {
            (true, Some(record)) => Some(Self {
                collection,
                account: collection.account_of(record)?,
                kind: ChangeKind::Put(record.clone()),
            }),
            (false, None) => {
                let (account, tiny_id) = trees::split_index_key(key)?;
                Some(Self {
                    collection,
                    account,
                    kind: ChangeKind::Delete(tiny_id),
                })
            }
            (true, None) | (false, Some(_)) => None,
        }
    }

    /// The tinyId of the object. Parses the record, so it is called only for accounts that have an
    /// index.
    pub(super) fn tiny_id(&self) -> Result<u64, StoreError> {
        match &self.kind {
            ChangeKind::Put(record) => collection::tiny_id_in_record(record),
            ChangeKind::Delete(tiny_id) => Ok(*tiny_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(tree: Tree, key: &[u8], value: Option<&str>) -> Option<(String, u64)> {
        let value = value.map(|text| Stored::from(text.as_bytes().to_vec()));
        let change = Change::from_entry(tree, key, value.as_ref())?;
        Some((change.account.to_string(), change.tiny_id().unwrap()))
    }

    #[test]
    fn objects_are_found_by_their_record_or_their_removed_index_key() {
        let record = r#"{"sid":"acc_1","id":"alt_1","meta":{"tinyId":7},"tinyId":3}"#;
        let key = trees::index_key(&AccountId::parse("acc_1").unwrap(), 3);
        let expected = Some(("acc_1".to_owned(), 3));
        assert_eq!(change(Tree::Alerts, b"alt_1", Some(record)), expected);
        assert_eq!(change(Tree::AlertsByAccount, &key, None), expected);
    }

    #[test]
    fn other_entries_change_no_object() {
        let key = trees::index_key(&AccountId::parse("acc_1").unwrap(), 3);
        assert_eq!(change(Tree::Alerts, b"alt_1", None), None);
        assert_eq!(change(Tree::AlertsByAccount, &key, Some("alt_1")), None);
        assert_eq!(change(Tree::Meta, b"x", Some("{}")), None);
        assert_eq!(change(Tree::Accounts, b"acc_1\0alerts", Some("")), None);
    }
}
