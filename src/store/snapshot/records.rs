//! Reads of collections from a snapshot: counts, records by tinyId, pages and scans.
//!
//! Apart from scans of all accounts, no read touches another account's index.

use super::Snapshot;
use crate::{
    domain::ids::AccountId,
    store::{
        Collection, ScanDirection, StoreError,
        collection::tiny_id_in_record,
        entries::{Entry, Stored},
        trees::{self, Counters, Tree},
    },
};

/// Index entries read from the engine at a time.
const SCAN_CHUNK: usize = 256;

/// Collects records up to a total of `max_bytes`; `None` if there are more.
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
    /// The number of objects of the account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn count(&self, collection: Collection, account: &AccountId) -> Result<u64, StoreError> {
        let key = trees::counters_key(account, collection.name);
        let counters = Counters::decode_optional(self.get(Tree::Accounts, &key)?)?;
        Ok(counters.live)
    }

    /// The account's records with these tinyIds, in the given order; `None` if they exceed
    /// `max_bytes` in total.
    ///
    /// # Errors
    /// A record does not exist, or the store cannot be read or is damaged.
    pub fn records_by_tiny_id(
        &self,
        collection: Collection,
        account: &AccountId,
        tiny_ids: &[u64],
        max_bytes: usize,
    ) -> Result<Option<Vec<Stored>>, StoreError> {
        // Where the numbers are close together, one walk over the index is cheaper than a lookup
        // for each.
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

    /// The account's record with this tinyId.
    ///
    /// # Errors
    /// The record does not exist, or the store cannot be read or is damaged.
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

    /// At most `limit` of the account's records, from `offset` on, in tinyId order; `None` if they
    /// exceed `max_bytes` in total.
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

        // Skipping costs one step per entry, so start from the nearer end.
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

    /// The account's records, oldest first, read lazily.
    pub fn records_oldest_first(
        &self,
        collection: Collection,
        account: &AccountId,
    ) -> impl Iterator<Item = Result<Stored, StoreError>> + use<'_> {
        let entries = self.index(collection, account, ScanDirection::Ascending, SCAN_CHUNK);
        entries.map(move |entry| self.record_by_index(collection, entry?.1.as_ref()))
    }

    /// The accounts that have objects, and those whose counters cannot be read.
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
            // Unreadable counters surface when they are needed, and `check` reports them.
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

    /// Calls `visit` with every tinyId and record of the account.
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

    /// Calls `visit` with every tinyId and record of the account, in the order that is cheapest.
    ///
    /// # Errors
    /// The store cannot be read or is damaged, or `visit` failed.
    pub(in crate::store) fn for_each_unordered(
        &self,
        collection: Collection,
        account: &AccountId,
        mut visit: impl FnMut(u64, Stored) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Record ids are random, so looking up one record after another reads the whole file again
        // and again. Skipping other accounts' records in one scan costs about a fifth of that.
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

    /// The number of objects of all accounts.
    fn count_all_accounts(&self, collection: Collection) -> Result<u64, StoreError> {
        let counted = self.live_counts(collection)?;
        Ok(counted.into_iter().fold(0, |all, (_, live)| {
            all.saturating_add(live.unwrap_or_default())
        }))
    }

    /// Calls `visit` with every tinyId of the account, in ascending order.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub(in crate::store) fn for_each_tiny_id(
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
    ) -> impl Iterator<Item = Result<Entry, StoreError>> + use<'_> {
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
                "the index of {} points to '{id}', which does not exist",
                collection.name
            ))
        })
    }
}

fn tiny_id_in_key(index_key: &[u8]) -> Result<u64, StoreError> {
    let tiny_id = index_key
        .last_chunk()
        .map(|tiny_id| u64::from_be_bytes(*tiny_id));
    tiny_id.ok_or_else(|| StoreError::damaged("an index key is malformed"))
}

fn missing_record(account: &AccountId, tiny_id: u64) -> StoreError {
    StoreError::damaged(format!(
        "tinyId {tiny_id} is missing from the index of account '{account}'"
    ))
}
