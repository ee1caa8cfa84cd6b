//! Collections: the records of one kind of object, their index by account, and their counters.
//!
//! A record is found by its id; the records of an account are found through the index, in tinyId
//! order. `transaction::records` changes them, `snapshot::records` reads them.

use super::{StoreError, entries::Stored, trees::Tree};
use crate::domain::ids::AccountId;

/// The trees that hold one kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collection {
    pub(super) name: &'static str,
    pub(super) records: Tree,
    pub(super) index: Tree,
}

/// Integrations.
pub const INTEGRATIONS: Collection = Collection {
    name: "integrations",
    records: Tree::Integrations,
    index: Tree::IntegrationsByAccount,
};

/// Alerts.
pub const ALERTS: Collection = Collection {
    name: "alerts",
    records: Tree::Alerts,
    index: Tree::AlertsByAccount,
};

/// Logs.
pub const LOGS: Collection = Collection {
    name: "logs",
    records: Tree::Logs,
    index: Tree::LogsByAccount,
};

/// Users.
pub const USERS: Collection = Collection {
    name: "users",
    records: Tree::Users,
    index: Tree::UsersByAccount,
};

/// Teams.
pub const TEAMS: Collection = Collection {
    name: "teams",
    records: Tree::Teams,
    index: Tree::TeamsByAccount,
};

/// The order in which an account's records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanDirection {
    /// Oldest first: by ascending tinyId.
    Ascending,
    /// Newest first: by descending tinyId.
    Descending,
}

impl ScanDirection {
    pub(super) fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// The collections of the store, in the order of exports.
pub const COLLECTIONS: [Collection; 5] = [INTEGRATIONS, ALERTS, LOGS, USERS, TEAMS];

/// The collection that a tree belongs to, and whether it holds the records or the index.
pub(super) fn of_tree(tree: Tree) -> Option<(Collection, bool)> {
    COLLECTIONS.into_iter().find_map(|collection| {
        (tree == collection.records || tree == collection.index)
            .then_some((collection, tree == collection.records))
    })
}

/// The first bytes of every record.
const RECORD_PREFIX: &[u8] = br#"{"sid":""#;

impl Collection {
    /// The plural name, as in paths and exports.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The account that a record belongs to.
    pub(super) fn account_of(self, record: &Stored) -> Option<AccountId> {
        let rest = record.as_ref().strip_prefix(RECORD_PREFIX)?;
        let end = rest.iter().position(|byte| *byte == b'"')?;
        AccountId::parse(std::str::from_utf8(rest.get(..end)?).ok()?).ok()
    }

    /// Whether a record belongs to this account.
    ///
    /// Every record begins with its `sid`, and account ids contain no character that JSON escapes,
    /// so comparing the first bytes is enough.
    pub fn owns(self, account: &AccountId, record: &Stored) -> bool {
        let owner = record.as_ref().strip_prefix(RECORD_PREFIX);
        let rest = owner.and_then(|rest| rest.strip_prefix(account.as_str().as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b"\""))
    }
}

/// The tinyId that a record contains.
pub(super) fn tiny_id_in_record(record: &Stored) -> Result<u64, StoreError> {
    #[derive(serde::Deserialize)]
    struct Numbered {
        #[serde(rename = "tinyId")]
        tiny_id: u64,
    }
    let numbered = serde_json::from_slice::<Numbered>(record.as_ref());
    numbered
        .map(|numbered| numbered.tiny_id)
        .map_err(|error| StoreError::damaged(format!("a record has no tinyId: {error}")))
}
