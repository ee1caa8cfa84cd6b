//! Answering list queries: one piece of code for every kind of object.
//!
//! A page near an end of an account in the order of its tinyIds is read by walking there. Whatever
//! else is asked, a filter, another order, a page far from the ends, is found out from the
//! account's index (`indexed`), so that only the objects of the page are read; or, where no memory
//! is left for an index, by reading all objects (`scanned`).

mod indexed;
mod scanned;

use crate::{
    domain::{
        entity_tag::EntityTag,
        ids::AccountId,
        list::{FieldPath, ListQuery, Page, Schema, SortOrder},
        rejection::Rejection,
    },
    store::{Collection, ScanDirection, Store, StoreError, Stored},
};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use std::sync::Arc;

/// One page of a list. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// `{"data":[…],"has_more":…,"total_count":…}`. Source: the reference, "List all Integrations".
    pub json: Bytes,
    /// The entity tag of that.
    pub tag: EntityTag,
    /// Which page it is.
    pub page: Page,
    /// How many objects match in all.
    pub total: u64,
}

/// Lists of one kind of object. Cloning is cheap.
///
/// Pages are remembered until something changes in their account, so that whoever asks the same
/// again and again, as dashboards and tests do, costs next to nothing, however many objects a
/// filter has to look at.
#[derive(Clone, Debug)]
pub struct Lists {
    store: Store,
    collection: Collection,
    schema: Schema,
    remembered: PageCache,
}

/// A page, and the state of its account that it shows.
#[derive(Clone, Debug)]
struct CachedPage {
    last_change: u64,
    page: ListPage,
}

#[derive(Clone, Debug)]
struct PageWeight;

impl Weighter<Box<[u8]>, CachedPage> for PageWeight {
    fn weight(&self, key: &Box<[u8]>, remembered: &CachedPage) -> u64 {
        const REST: usize = 128;
        let bytes = key
            .len()
            .saturating_add(remembered.page.json.len())
            .saturating_add(REST);
        bytes.try_into().unwrap_or(u64::MAX)
    }
}

/// A page of so many bytes is read where requests are served; a larger one takes longer than others
/// should wait.
const QUICK_BYTES: usize = 1 << 20;

/// A page is some kilobytes; from this the cache guesses how many it will hold.
const USUAL_PAGE_BYTES: u64 = 4096;

/// Pages that were answered, of all kinds of objects, bounded by their bytes. Cloning is cheap and
/// gives the same.
#[derive(Clone, Debug)]
pub struct PageCache(Arc<Cache<Box<[u8]>, CachedPage, PageWeight>>);

impl PageCache {
    /// Room for so many bytes; 0 for none.
    pub fn new(bytes: u64) -> Self {
        let pages = usize::try_from(bytes / USUAL_PAGE_BYTES).unwrap_or(usize::MAX);
        Self(Arc::new(Cache::with_weighter(pages, bytes, PageWeight)))
    }
}

impl Lists {
    /// Lists of `collection`, whose pages are kept in `remembered`.
    pub fn new(
        store: Store,
        collection: Collection,
        schema: Schema,
        remembered: PageCache,
    ) -> Self {
        Self {
            store,
            collection,
            schema,
            remembered,
        }
    }

    /// Reads a query.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(&self, raw_query: &str) -> Result<ListQuery, Rejection> {
        ListQuery::parse(self.schema, raw_query)
    }

    /// The answer to this very query, if it was given before and still holds.
    pub fn remembered(&self, account: &AccountId, raw_query: &str) -> Option<ListPage> {
        let remembered = self.remembered.0.get(&self.key(account, raw_query))?;
        (remembered.last_change == self.store.last_change(account)).then_some(remembered.page)
    }

    /// Answers a query, if it takes no longer than reading its page.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn quick(
        &self,
        account: &AccountId,
        raw_query: &str,
        query: &ListQuery,
    ) -> Result<Option<ListPage>, StoreError> {
        let last_change = self.store.last_change(account);
        let found = if is_near(query) {
            self.walk(account, query, QUICK_BYTES)?
        } else {
            let indexed = self
                .store
                .cached_index(self.collection, account, &places(query))?;
            let indexed = indexed.filter(|indexed| indexed::is_quick(&indexed.view, query));
            let found = indexed.map(|indexed| {
                indexed::find(&indexed, self.collection, account, query, QUICK_BYTES)
            });
            found.transpose()?.flatten()
        };

        found
            .map(|found| self.remember(account, raw_query, query, last_change, found))
            .transpose()
    }

    /// Answers a query. May take long, when [`quick`](Self::quick) did not answer it.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn run(
        &self,
        account: &AccountId,
        raw_query: &str,
        query: &ListQuery,
    ) -> Result<ListPage, StoreError> {
        // Before anything is read: what changes in between makes the page too new for its number,
        // never too old.
        let last_change = self.store.last_change(account);

        let found = match self
            .store
            .indexed(self.collection, account, &places(query))?
        {
            Some(indexed) => indexed::find(&indexed, self.collection, account, query, usize::MAX)?,
            None if reads_everything(query) => Some(scanned::find(
                &self.store.snapshot()?,
                self.collection,
                account,
                query,
            )?),
            None => self.walk(account, query, usize::MAX)?,
        };

        let found =
            found.ok_or_else(|| StoreError::Damaged("a page is larger than memory".to_owned()))?;
        self.remember(account, raw_query, query, last_change, found)
    }

    /// A page of everything in tinyId order. `None` if it has more than `most` bytes.
    fn walk(
        &self,
        account: &AccountId,
        query: &ListQuery,
        most: usize,
    ) -> Result<Option<Found>, StoreError> {
        let snapshot = self.store.snapshot()?;
        let total = snapshot.count(self.collection, account)?;
        let (direction, offset) = (direction(&query.order), query.page.offset);
        let page = snapshot.page(
            self.collection,
            account,
            direction,
            offset,
            limit(query),
            most,
        )?;

        Ok(page.map(|page| Found { page, total }))
    }

    fn remember(
        &self,
        account: &AccountId,
        raw_query: &str,
        query: &ListQuery,
        last_change: u64,
        found: Found,
    ) -> Result<ListPage, StoreError> {
        let json = encode(&found, query)?;
        let page = ListPage {
            tag: EntityTag::of(&json),
            json,
            page: query.page,
            total: found.total,
        };

        self.remembered.0.insert(
            self.key(account, raw_query),
            CachedPage {
                last_change,
                page: page.clone(),
            },
        );

        Ok(page)
    }

    fn key(&self, account: &AccountId, raw_query: &str) -> Box<[u8]> {
        [
            self.collection.name().as_bytes(),
            &[0],
            account.as_str().as_bytes(),
            &[0],
            raw_query.as_bytes(),
        ]
        .concat()
        .into()
    }
}

/// What a query asks for.
struct Found {
    /// The objects of the page.
    page: Vec<Stored>,
    /// How many match in all.
    total: u64,
}

fn encode(found: &Found, query: &ListQuery) -> Result<Bytes, StoreError> {
    let Found {
        page: stored,
        total,
    } = found;
    let length: usize = stored
        .iter()
        .map(|stored| stored.as_ref().len().saturating_add(1))
        .sum();
    let mut json = Vec::with_capacity(length.saturating_add(64));
    json.extend_from_slice(br#"{"data":["#);

    for (position, stored) in stored.iter().enumerate() {
        if position > 0 {
            json.push(b',');
        }
        match &query.select {
            None => json.extend_from_slice(stored.as_ref()),
            Some(select) => {
                json.extend_from_slice(&select.apply(stored.as_ref()).map_err(unreadable)?)
            }
        }
    }

    let has_more = query.page.has_more(*total);
    json.extend_from_slice(
        format!(r#"],"has_more":{has_more},"total_count":{total}}}"#).as_bytes(),
    );

    // What is remembered must take no more room than it weighs.
    json.shrink_to_fit();
    Ok(json.into())
}

/// Whether walking to the page from the start of the list is as good as anything.
fn is_near(query: &ListQuery) -> bool {
    const NEAR: u64 = 100;
    !reads_everything(query) && query.page.offset <= NEAR
}

fn reads_everything(query: &ListQuery) -> bool {
    !query.filters.is_empty() || matches!(query.order, SortOrder::Sorted(_))
}

/// What must be known of each object to tell which are on the page.
fn places(query: &ListQuery) -> Vec<&FieldPath> {
    let filtered = query.filters.iter().map(|filter| filter.place());
    match &query.order {
        SortOrder::Sorted(sort) => filtered.chain(sort.places()).collect(),
        SortOrder::TinyIdAscending | SortOrder::TinyIdDescending => filtered.collect(),
    }
}

fn direction(order: &SortOrder) -> ScanDirection {
    match order {
        SortOrder::TinyIdDescending => ScanDirection::Descending,
        SortOrder::TinyIdAscending | SortOrder::Sorted(_) => ScanDirection::Ascending,
    }
}

fn limit(query: &ListQuery) -> usize {
    usize::try_from(query.page.limit).unwrap_or(usize::MAX)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("a record cannot be read: {error}"))
}
