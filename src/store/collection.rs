//! Collections: the records of one kind of object, their index by account, and their counters.
//!
//! Records, index and counters change together in one transaction. A record is found by its id; the
//! records of an account are found through the index, in tinyId order. No read ever touches another
//! account's index.

mod reads;

use super::{
    StoreError, Transaction,
    entries::Stored,
    trees::{self, Counters, Tree},
};
use crate::domain::{ids::AccountId, import::integration::MAX_TINY_ID};

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

/// The order in which an account's records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanDirection {
    /// Oldest first: by ascending tinyId.
    Ascending,
    /// Newest first: by descending tinyId.
    Descending,
}

impl ScanDirection {
    fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// The collections of the store.
pub(super) const COLLECTIONS: [Collection; 3] = [INTEGRATIONS, ALERTS, LOGS];

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

impl Transaction<'_> {
    /// The tinyId of the account's next object.
    ///
    /// # Errors
    /// [`StoreError::TinyIdsExhausted`] when the account has used up its numbers, or the store
    /// cannot be read.
    pub fn next_tiny_id(
        &self,
        collection: Collection,
        account: &AccountId,
    ) -> Result<u64, StoreError> {
        let next = self
            .counters(collection, account)?
            .last_tiny_id
            .saturating_add(1);
        // An import refuses higher numbers, so an export with one could not be read back.
        if next > MAX_TINY_ID {
            Err(StoreError::TinyIdsExhausted)
        } else {
            Ok(next)
        }
    }

    /// The record with this id, of any account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn record(&self, collection: Collection, id: &str) -> Result<Option<Stored>, StoreError> {
        self.get(collection.records, id.as_bytes())
    }

    /// Adds a record under the tinyId that [`next_tiny_id`](Self::next_tiny_id) returned.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn insert(
        &mut self,
        collection: Collection,
        account: &AccountId,
        tiny_id: u64,
        id: &str,
        record: Stored,
    ) -> Result<(), StoreError> {
        let counters = self.counters(collection, account)?;
        self.put(collection.records, id.into(), record);
        self.put(
            collection.index,
            trees::index_key(account, tiny_id),
            id.as_bytes().to_vec().into(),
        );

        let counters = Counters {
            last_tiny_id: counters.last_tiny_id.max(tiny_id),
            live: counters.live.saturating_add(1),
        };

        self.put_counters(collection, account, counters);
        Ok(())
    }

    /// Replaces the record of an existing object.
    pub fn replace(&mut self, collection: Collection, id: &str, record: Stored) {
        self.put(collection.records, id.into(), record);
    }

    /// Deletes an existing object.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn delete(
        &mut self,
        collection: Collection,
        account: &AccountId,
        tiny_id: u64,
        id: &str,
    ) -> Result<(), StoreError> {
        let counters = self.counters(collection, account)?;
        self.remove(collection.records, id.into());
        self.remove(collection.index, trees::index_key(account, tiny_id));
        self.put_counters(
            collection,
            account,
            Counters {
                live: counters.live.saturating_sub(1),
                ..counters
            },
        );

        Ok(())
    }

    fn counters(
        &self,
        collection: Collection,
        account: &AccountId,
    ) -> Result<Counters, StoreError> {
        decode(self.get(
            Tree::Accounts,
            &trees::counters_key(account, collection.name),
        )?)
    }

    fn put_counters(&mut self, collection: Collection, account: &AccountId, counters: Counters) {
        self.put(
            Tree::Accounts,
            trees::counters_key(account, collection.name),
            counters.encode().into(),
        );
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

fn decode(counters: Option<Stored>) -> Result<Counters, StoreError> {
    counters.map_or(Ok(Counters::default()), |counters| {
        Counters::decode(counters.as_ref())
    })
}
