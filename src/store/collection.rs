//! How a kind of object lies in the store: its records, its index by account, its counters.
//!
//! The four always change together, in one transaction. A record is found by id, an account's
//! records in the order of their tinyIds through the index; nothing here ever walks through another
//! account.

use super::{
    Snapshot, StoreError, Transaction,
    engine::Stored,
    index::Change,
    trees::{self, Counters, Tree},
};
use crate::domain::{ids::AccountId, integration_whole::LARGEST_TINY_ID};

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collection {
    pub(super) name: &'static str,
    pub(super) records: Tree,
    pub(super) index: Tree,
}

/// The integrations.
pub const INTEGRATIONS: Collection = Collection {
    name: "integrations",
    records: Tree::Integrations,
    index: Tree::IntegrationsByAccount,
};

/// The alerts.
pub const ALERTS: Collection = Collection {
    name: "alerts",
    records: Tree::Alerts,
    index: Tree::AlertsByAccount,
};

/// The logs.
pub const LOGS: Collection = Collection {
    name: "logs",
    records: Tree::Logs,
    index: Tree::LogsByAccount,
};

/// Which end of an account's objects comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanDirection {
    /// The oldest, tinyId 1, first.
    Ascending,
    /// The newest first.
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

/// A scan reads so many index entries at once.
const SCAN_CHUNK: usize = 256;

impl Collection {
    /// What it is called, in the plural.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether a stored object is this account's. Every record begins with its `sid`, and no
    /// account id has a character that JSON escapes, so the first bytes tell.
    pub fn owns(self, account: &AccountId, record: &Stored) -> bool {
        let owner = record.as_ref().strip_prefix(br#"{"sid":""#);
        let rest = owner.and_then(|rest| rest.strip_prefix(account.as_str().as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b"\""))
    }
}

impl Transaction<'_> {
    /// The number that the next object of the account gets.
    ///
    /// # Errors
    /// All were given; the store cannot be read.
    pub fn next_tiny_id(
        &self,
        collection: Collection,
        account: &AccountId,
    ) -> Result<u64, StoreError> {
        let next = self
            .counters(collection, account)?
            .last_tiny_id
            .saturating_add(1);
        // A store with higher ones could be exported and not imported.
        if next > LARGEST_TINY_ID {
            Err(StoreError::TinyIdsExhausted)
        } else {
            Ok(next)
        }
    }

    /// The object, whatever its account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn record(&self, collection: Collection, id: &str) -> Result<Option<Stored>, StoreError> {
        self.get(collection.records, id.as_bytes())
    }

    /// Adds an object under the number that [`next_tiny_id`](Self::next_tiny_id) gave.
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
        self.note(Change {
            collection,
            account: account.clone(),
            tiny_id,
            record: Some(record.clone()),
        });

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

    /// Puts a new state of an object in the place of the old one.
    pub fn replace(
        &mut self,
        collection: Collection,
        account: &AccountId,
        tiny_id: u64,
        id: &str,
        record: Stored,
    ) {
        self.note(Change {
            collection,
            account: account.clone(),
            tiny_id,
            record: Some(record.clone()),
        });
        self.put(collection.records, id.into(), record);
    }

    /// Removes an object that exists.
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
        self.note(Change {
            collection,
            account: account.clone(),
            tiny_id,
            record: None,
        });

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

/// These records, read until they are more than so many bytes.
fn collect_within(
    max_bytes: usize,
    records: impl Iterator<Item = Result<Stored, StoreError>>,
) -> Result<Option<Vec<Stored>>, StoreError> {
    let (mut page, mut bytes) = (Vec::new(), 0_usize);
    for record in records {
        let record = record?;
        bytes = bytes.saturating_add(record.as_ref().len());
        if bytes > max_bytes {
            return Ok(None);
        }
        page.push(record);
    }
    Ok(Some(page))
}

impl Snapshot {
    /// How many objects the account has.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn count(&self, collection: Collection, account: &AccountId) -> Result<u64, StoreError> {
        Ok(decode(self.get(
            Tree::Accounts,
            &trees::counters_key(account, collection.name),
        )?)?
        .live)
    }

    /// The account's objects with these numbers, in their order. `None` if they are more than
    /// `max_bytes`.
    ///
    /// # Errors
    /// One of them does not exist; the store cannot be read or is damaged.
    pub fn records_by_tiny_id(
        &self,
        collection: Collection,
        account: &AccountId,
        tiny_ids: &[u64],
        max_bytes: usize,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        // Where they lie close together, walking the index from the first to the last is cheaper
        // than looking each up.
        const MAX_WALK_FACTOR: u64 = 3;

        let (Some(first), Some(last)) = (tiny_ids.iter().min(), tiny_ids.iter().max()) else {
            return Ok(Some(Vec::new()));
        };

        let walked = last.saturating_sub(*first);
        if walked > MAX_WALK_FACTOR.saturating_mul(tiny_ids.len().try_into().unwrap_or(u64::MAX)) {
            return collect_within(
                max_bytes,
                tiny_ids
                    .iter()
                    .map(|tiny_id| self.record_by_tiny_id(collection, account, *tiny_id)),
            );
        }

        let (lower, upper) = (
            trees::index_key(account, *first),
            trees::index_key(account, last.saturating_add(1)),
        );
        let chunk_len = usize::try_from(walked)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let entries = self.scan(collection.index, lower, upper, false, chunk_len);
        let ids = entries
            .map(|entry| entry.and_then(|(key, id)| Ok((tiny_id_in_key(&key)?, id))))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let found = tiny_ids.iter().map(|tiny_id| {
            let position = ids
                .binary_search_by_key(tiny_id, |(number, _)| *number)
                .ok();
            let (_, id) = position
                .and_then(|position| ids.get(position))
                .ok_or_else(|| missing_record(account, *tiny_id))?;
            self.record_by_index(collection, id.as_ref())
        });

        collect_within(max_bytes, found)
    }

    /// The account's object with this number.
    ///
    /// # Errors
    /// There is none; the store cannot be read or is damaged.
    pub fn record_by_tiny_id(
        &self,
        collection: Collection,
        account: &AccountId,
        tiny_id: u64,
    ) -> Result<Stored, StoreError> {
        let id = self.get(collection.index, &trees::index_key(account, tiny_id))?;
        let id = id.ok_or_else(|| missing_record(account, tiny_id))?;
        self.record_by_index(collection, id.as_ref())
    }

    /// The account's objects from `offset` on, at most `limit`, in the order of their tinyIds.
    /// `None` if they are more than `max_bytes`.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn page(
        &self,
        collection: Collection,
        account: &AccountId,
        direction: ScanDirection,
        offset: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let behind = self.count(collection, account)?.saturating_sub(offset);
        let length = usize::try_from(behind).unwrap_or(usize::MAX).min(limit);
        let after = behind.saturating_sub(length.try_into().unwrap_or(u64::MAX));

        // Entries are passed over one by one, so it is better to come from the nearer end.
        if after < offset {
            let mut page = self.page_from(
                collection,
                account,
                direction.reversed(),
                after,
                length,
                max_bytes,
            )?;
            page.iter_mut().for_each(|page| page.reverse());
            return Ok(page);
        }

        self.page_from(collection, account, direction, offset, length, max_bytes)
    }

    fn page_from(
        &self,
        collection: Collection,
        account: &AccountId,
        direction: ScanDirection,
        offset: u64,
        length: usize,
        max_bytes: usize,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let chunk_len = length.saturating_add(offset).min(SCAN_CHUNK);
        let entries = self.index(collection, account, direction, chunk_len);
        collect_within(
            max_bytes,
            entries
                .skip(offset)
                .take(length)
                .map(|entry| self.record_by_index(collection, entry?.1.as_ref())),
        )
    }

    /// The account's objects, the oldest first, read as they are asked for.
    pub fn records_oldest_first(
        &self,
        collection: Collection,
        account: &AccountId,
    ) -> impl Iterator<Item = Result<Stored, StoreError>> + use<'_> {
        let entries = self.index(collection, account, ScanDirection::Ascending, SCAN_CHUNK);
        entries.map(move |entry| self.record_by_index(collection, entry?.1.as_ref()))
    }

    /// The accounts that have objects, or whose counters cannot be read.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn accounts_with_records(
        &self,
        collection: Collection,
    ) -> Result<Vec<AccountId>, StoreError> {
        Ok(self
            .live_counts(collection)?
            .into_iter()
            .map(|(account, _)| account)
            .collect())
    }

    fn live_counts(
        &self,
        collection: Collection,
    ) -> Result<Vec<(AccountId, Option<u64>)>, StoreError> {
        let mut accounts = Vec::new();
        for entry in self.scan(Tree::Accounts, Vec::new(), vec![u8::MAX], false, SCAN_CHUNK) {
            let (key, counters) = entry?;
            // What cannot be read is told when somebody needs it, and is for `check` to name.
            let live = Counters::decode(counters.as_ref())
                .ok()
                .map(|counters| counters.live);
            if let Some(account) =
                trees::counted_account(&key, collection.name).filter(|_| live != Some(0))
            {
                accounts.push((account, live));
            }
        }

        Ok(accounts)
    }

    /// Shows every object of the account, with its tinyId.
    ///
    /// # Errors
    /// The store cannot be read or is damaged, or `visit` failed.
    pub fn for_each(
        &self,
        collection: Collection,
        account: &AccountId,
        direction: ScanDirection,
        mut visit: impl FnMut(u64, Stored) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for entry in self.index(collection, account, direction, SCAN_CHUNK) {
            let (key, id) = entry?;
            visit(
                tiny_id_in_key(&key)?,
                self.record_by_index(collection, id.as_ref())?,
            )?;
        }
        Ok(())
    }

    /// Shows every object of the account, with its tinyId, in whatever order is cheapest.
    ///
    /// # Errors
    /// The store cannot be read or is damaged, or `visit` failed.
    pub(super) fn for_each_unordered(
        &self,
        collection: Collection,
        account: &AccountId,
        mut visit: impl FnMut(u64, Stored) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Records lie in the order of their ids, which is none. Looking up one after the other
        // touches all of the file again and again; passing by those of others costs a fifth of
        // that.
        const LOOKUP_COST: u64 = 5;
        const MIN_SCAN_RECORDS: u64 = 5_000;

        let own = self.count(collection, account)?;
        if own < MIN_SCAN_RECORDS
            || own.saturating_mul(LOOKUP_COST) < self.count_all_accounts(collection)?
        {
            return self.for_each(collection, account, ScanDirection::Ascending, visit);
        }

        for entry in self.scan(
            collection.records,
            Vec::new(),
            vec![u8::MAX],
            false,
            SCAN_CHUNK,
        ) {
            let (_, record) = entry?;
            if collection.owns(account, &record) {
                visit(tiny_id_in_record(&record)?, record)?;
            }
        }

        Ok(())
    }

    /// How many objects all accounts have.
    fn count_all_accounts(&self, collection: Collection) -> Result<u64, StoreError> {
        let counted = self.live_counts(collection)?;
        Ok(counted.into_iter().fold(0, |all, (_, live)| {
            all.saturating_add(live.unwrap_or_default())
        }))
    }

    /// Shows the tinyId of every object of the account, in ascending order.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub(super) fn for_each_tiny_id(
        &self,
        collection: Collection,
        account: &AccountId,
        mut visit: impl FnMut(u64),
    ) -> Result<(), StoreError> {
        for entry in self.index(collection, account, ScanDirection::Ascending, SCAN_CHUNK) {
            visit(tiny_id_in_key(&entry?.0)?);
        }
        Ok(())
    }

    fn index(
        &self,
        collection: Collection,
        account: &AccountId,
        direction: ScanDirection,
        chunk_len: usize,
    ) -> impl Iterator<Item = Result<super::engine::Entry, StoreError>> + use<'_> {
        let prefix = trees::account_prefix(account);
        let end = trees::prefix_end(&prefix);
        self.scan(
            collection.index,
            prefix,
            end,
            direction == ScanDirection::Descending,
            chunk_len,
        )
    }

    fn record_by_index(&self, collection: Collection, id: &[u8]) -> Result<Stored, StoreError> {
        self.get(collection.records, id)?.ok_or_else(|| {
            let id = String::from_utf8_lossy(id);
            StoreError::damaged(format!(
                "the index of {} names '{id}', which does not exist",
                collection.name
            ))
        })
    }
}

fn tiny_id_in_key(index_key: &[u8]) -> Result<u64, StoreError> {
    let tiny_id = index_key
        .last_chunk()
        .map(|tiny_id| u64::from_be_bytes(*tiny_id));
    tiny_id.ok_or_else(|| StoreError::damaged("an index key is not of the form it should be"))
}

/// What a record says of itself.
fn tiny_id_in_record(record: &Stored) -> Result<u64, StoreError> {
    #[derive(serde::Deserialize)]
    struct Numbered {
        #[serde(rename = "tinyId")]
        tiny_id: u64,
    }
    let numbered = serde_json::from_slice::<Numbered>(record.as_ref());
    numbered
        .map(|numbered| numbered.tiny_id)
        .map_err(|error| StoreError::damaged(format!("a record has no number: {error}")))
}

fn missing_record(account: &AccountId, tiny_id: u64) -> StoreError {
    StoreError::damaged(format!("the index of '{account}' lacks {tiny_id}"))
}

fn decode(counters: Option<Stored>) -> Result<Counters, StoreError> {
    counters.map_or(Ok(Counters::default()), |counters| {
        Counters::decode(counters.as_ref())
    })
}
