//! List queries, for every kind of object.
//!
//! A page near either end of the account in tinyId order is read by walking there. Any other query,
//! with a filter, another order or a distant page, is answered from the account's index
//! (`indexed`), so that only the records of the page are read. Where there is no memory for an
//! index, all records are read (`scanned`). Records outside of the store have lists of the same form
//! (`in_memory`).

pub mod in_memory;
mod indexed;
mod page_cache;
mod scanned;

pub use page_cache::{EncodePage, PageCache, RecordPage};

use crate::{
    domain::{
        entity_tag::EntityTag,
        ids::AccountId,
        list::{FieldPath, ListQuery, Page, Schema, SortOrder},
        rejection::Rejection,
    },
    store::{Collection, ScanDirection, Store, StoreError},
};
use bytes::Bytes;

/// One page of a list. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The encoded page.
    pub body: Bytes,
    /// The entity tag of the body.
    pub tag: EntityTag,
    /// Offset and limit of the page.
    pub page: Page,
    /// Number of all objects that match.
    pub total: u64,
}

/// Lists of one collection. Cloning is cheap.
///
/// Pages are cached, so that clients which repeat a query, as dashboards do, cost next to nothing,
/// however many objects a filter has to look at.
#[derive(Clone, Debug)]
pub struct Lists {
    store: Store,
    collection: Collection,
    schema: Schema,
    cache: PageCache,
}

/// A page of at most this size is read on the thread that serves the request. A larger one takes
/// longer than other requests should wait.
const MAX_QUICK_BYTES: usize = 1 << 20;

impl Lists {
    /// Lists of `collection`, whose pages are kept in `cache`.
    pub fn new(store: Store, collection: Collection, schema: Schema, cache: PageCache) -> Self {
        Self {
            store,
            collection,
            schema,
            cache,
        }
    }

    /// Parses a query.
    ///
    /// # Errors
    /// Everything that is wrong with the query.
    pub fn parse(&self, raw_query: &str) -> Result<ListQuery, Rejection> {
        ListQuery::parse(self.schema, raw_query)
    }

    /// The cached page for this query, if it is still current.
    pub fn cached(&self, account: &AccountId, raw_query: &str) -> Option<ListPage> {
        let last_change = self.store.last_change(account);
        self.cache
            .get(self.collection, account, raw_query, last_change)
    }

    /// Answers a query if that takes no longer than reading its page.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn run_if_quick(
        &self,
        account: &AccountId,
        raw_query: &str,
        query: &ListQuery,
    ) -> Result<Option<ListPage>, StoreError> {
        let last_change = self.store.last_change(account);
        let found = if is_near_end(query) {
            self.walk(account, query, MAX_QUICK_BYTES)?
        } else {
            let indexed = self
                .store
                .cached_index(self.collection, account, &field_paths(query))?;
            let indexed = indexed.filter(|indexed| indexed::is_quick(&indexed.view, query));
            let found = indexed.map(|indexed| {
                indexed::find(&indexed, self.collection, account, query, MAX_QUICK_BYTES)
            });
            found.transpose()?.flatten()
        };

        found
            .map(|found| self.encode_and_cache(account, raw_query, query, last_change, &found))
            .transpose()
    }

    /// Answers a query. May take long where [`run_if_quick`](Self::run_if_quick) did not answer.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn run(
        &self,
        account: &AccountId,
        raw_query: &str,
        query: &ListQuery,
    ) -> Result<ListPage, StoreError> {
        // Before anything is read: a change in between makes the page newer than its number, never
        // older.
        let last_change = self.store.last_change(account);

        let found = match self
            .store
            .indexed(self.collection, account, &field_paths(query))?
        {
            Some(indexed) => indexed::find(&indexed, self.collection, account, query, usize::MAX)?,
            None if needs_all_records(query) => Some(scanned::find(
                &self.store.snapshot()?,
                self.collection,
                account,
                query,
            )?),
            None => self.walk(account, query, usize::MAX)?,
        };

        let found =
            found.ok_or_else(|| StoreError::Damaged("a page is larger than memory".to_owned()))?;
        self.encode_and_cache(account, raw_query, query, last_change, &found)
    }

    /// A page of all records in tinyId order. `None` if it has more than `max_bytes`.
    fn walk(
        &self,
        account: &AccountId,
        query: &ListQuery,
        max_bytes: usize,
    ) -> Result<Option<RecordPage>, StoreError> {
        let snapshot = self.store.snapshot()?;
        let total = snapshot.count(self.collection, account)?;
        let (direction, offset) = (scan_direction(&query.order), query.page.offset);
        let records = snapshot.page(
            self.collection,
            account,
            direction,
            offset,
            page_limit(query),
            max_bytes,
        )?;

        Ok(records.map(|records| RecordPage { records, total }))
    }

    fn encode_and_cache(
        &self,
        account: &AccountId,
        raw_query: &str,
        query: &ListQuery,
        last_change: u64,
        found: &RecordPage,
    ) -> Result<ListPage, StoreError> {
        let body = self.cache.encode(found, query).map_err(unreadable)?;
        let page = ListPage {
            tag: EntityTag::of(&body),
            body,
            page: query.page,
            total: found.total,
        };

        self.cache.insert(
            self.collection,
            account,
            raw_query,
            last_change,
            page.clone(),
        );

        Ok(page)
    }
}

/// Whether walking from the start of the list to the page is cheap.
fn is_near_end(query: &ListQuery) -> bool {
    const MAX_OFFSET: u64 = 100;
    !needs_all_records(query) && query.page.offset <= MAX_OFFSET
}

fn needs_all_records(query: &ListQuery) -> bool {
    !query.filters.is_empty() || matches!(query.order, SortOrder::Sorted(_))
}

/// The fields that filters and order look at.
fn field_paths(query: &ListQuery) -> Vec<&FieldPath> {
    let filtered = query.filters.iter().map(|filter| filter.path());
    match &query.order {
        SortOrder::Sorted(sort) => filtered.chain(sort.paths()).collect(),
        SortOrder::TinyIdAscending | SortOrder::TinyIdDescending => filtered.collect(),
    }
}

fn scan_direction(order: &SortOrder) -> ScanDirection {
    match order {
        SortOrder::TinyIdDescending => ScanDirection::Descending,
        SortOrder::TinyIdAscending | SortOrder::Sorted(_) => ScanDirection::Ascending,
    }
}

fn page_limit(query: &ListQuery) -> usize {
    usize::try_from(query.page.limit).unwrap_or(usize::MAX)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("a record cannot be read: {error}"))
}
