//! Answering list queries from a snapshot: one piece of code for every kind of object.

use crate::{
    domain::{
        ids::AccountId,
        list::{ListQuery, Object, Order, Page, Schema, Sort},
        rejection::Rejection,
    },
    store::{Collection, Direction, Snapshot, Store, StoreError, Stored},
};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use std::sync::Arc;

/// One page of a list. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// `{"data":[…],"has_more":…,"total_count":…}`. Source: the reference, "List all Integrations".
    pub json: Bytes,
    /// Which page it is.
    pub page: Page,
    /// How many objects match in all.
    pub total: u64,
}

/// Lists of one kind of object. Cloning is cheap.
///
/// Pages are remembered until something changes in their account, so that whoever asks the same again and again, as
/// dashboards and tests do, costs next to nothing, however many objects a filter has to look at.
#[derive(Clone, Debug)]
pub struct Lists {
    store: Store,
    collection: Collection,
    schema: Schema,
    remembered: Arc<Cache<Box<[u8]>, Remembered, PageWeight>>,
}

/// A page, and the state of its account that it shows.
#[derive(Clone, Debug)]
struct Remembered {
    last_change: u64,
    page: ListPage,
}

#[derive(Clone, Debug)]
struct PageWeight;

impl Weighter<Box<[u8]>, Remembered> for PageWeight {
    fn weight(&self, key: &Box<[u8]>, remembered: &Remembered) -> u64 {
        const REST: usize = 128;
        let bytes = key.len().saturating_add(remembered.page.json.len()).saturating_add(REST);
        bytes.try_into().unwrap_or(u64::MAX)
    }
}

/// A page is some kilobytes; from this the cache guesses how many it will hold.
const USUAL_PAGE_BYTES: u64 = 4096;

impl Lists {
    /// Lists of `collection`, of which `cache_bytes` are remembered; 0 for none.
    pub fn new(store: Store, collection: Collection, schema: Schema, cache_bytes: u64) -> Self {
        let pages = usize::try_from(cache_bytes / USUAL_PAGE_BYTES).unwrap_or(usize::MAX);
        let remembered = Arc::new(Cache::with_weighter(pages, cache_bytes, PageWeight));
        Self { store, collection, schema, remembered }
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
        let remembered = self.remembered.get(&key(account, raw_query))?;
        (remembered.last_change == self.store.last_change(account)).then_some(remembered.page)
    }

    /// Answers a query. May take long when [`takes_long`] says so.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn run(&self, account: &AccountId, raw_query: &str, query: &ListQuery) -> Result<ListPage, StoreError> {
        // Before the snapshot: what changes in between makes the page too new for its number, never too old.
        let last_change = self.store.last_change(account);
        let (stored, total) = find(&self.store.snapshot()?, self.collection, account, query)?;
        let page = ListPage { json: encode(&stored, query, total)?, page: query.page, total };
        self.remembered.insert(key(account, raw_query), Remembered { last_change, page: page.clone() });
        Ok(page)
    }
}

fn key(account: &AccountId, raw_query: &str) -> Box<[u8]> {
    [account.as_str().as_bytes(), &[0], raw_query.as_bytes()].concat().into()
}

fn encode(stored: &[Stored], query: &ListQuery, total: u64) -> Result<Bytes, StoreError> {
    let length: usize = stored.iter().map(|stored| stored.as_ref().len().saturating_add(1)).sum();
    let mut json = Vec::with_capacity(length.saturating_add(64));
    json.extend_from_slice(br#"{"data":["#);
    for (position, stored) in stored.iter().enumerate() {
        if position > 0 {
            json.push(b',');
        }
        match &query.select {
            None => json.extend_from_slice(stored.as_ref()),
            Some(select) => json.extend_from_slice(&select.apply(stored.as_ref()).map_err(unreadable)?),
        }
    }
    let has_more = query.page.has_more(total);
    json.extend_from_slice(format!(r#"],"has_more":{has_more},"total_count":{total}}}"#).as_bytes());
    // What is remembered must take no more room than it weighs.
    json.shrink_to_fit();
    Ok(json.into())
}

/// Whether answering may take too long for a thread that serves others: every object of the account is looked into, or
/// many index entries are passed over.
pub fn takes_long(query: &ListQuery) -> bool {
    const FEW: u64 = 1_000;
    reads_everything(query) || query.page.offset > FEW
}

fn reads_everything(query: &ListQuery) -> bool {
    !query.filters.is_empty() || matches!(query.order, Order::Sorted(_))
}

/// The objects of the page, and how many match in all.
fn find(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
) -> Result<(Vec<Stored>, u64), StoreError> {
    match &query.order {
        _ if !reads_everything(query) => {
            let total = snapshot.count(collection, account)?;
            let direction = direction(&query.order);
            Ok((snapshot.page(collection, account, direction, query.page.offset, limit(query))?, total))
        }
        Order::TinyIdAscending | Order::TinyIdDescending => filtered(snapshot, collection, account, query),
        Order::Sorted(sort) => sorted(snapshot, collection, account, query, sort),
    }
}

/// What matches, in tinyId order: keeps the page, counts the rest.
fn filtered(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
) -> Result<(Vec<Stored>, u64), StoreError> {
    let (mut page, mut total) = (Vec::new(), 0_u64);
    snapshot.for_each(collection, account, direction(&query.order), |_, stored| {
        if query.filters.matches(&parse(&stored)?) {
            if total >= query.page.offset && page.len() < limit(query) {
                page.push(stored);
            }
            total = total.saturating_add(1);
        }
        Ok(())
    })?;
    Ok((page, total))
}

/// What matches, sorted: the keys of all, but the objects of the page only.
fn sorted(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
    sort: &Sort,
) -> Result<(Vec<Stored>, u64), StoreError> {
    let mut found = Vec::new();
    snapshot.for_each(collection, account, Direction::Ascending, |tiny_id, stored| {
        let object = parse(&stored)?;
        if query.filters.matches(&object) {
            found.push((sort.key(&object), tiny_id));
        }
        Ok(())
    })?;
    let total = found.len().try_into().unwrap_or(u64::MAX);
    found.sort_unstable();
    let offset = usize::try_from(query.page.offset).unwrap_or(usize::MAX);
    let page = found.iter().skip(offset).take(limit(query));
    let page = page.map(|(_, tiny_id)| snapshot.numbered(collection, account, *tiny_id)).collect::<Result<_, _>>()?;
    Ok((page, total))
}

fn direction(order: &Order) -> Direction {
    match order {
        Order::TinyIdDescending => Direction::Descending,
        Order::TinyIdAscending | Order::Sorted(_) => Direction::Ascending,
    }
}

fn limit(query: &ListQuery) -> usize {
    usize::try_from(query.page.limit).unwrap_or(usize::MAX)
}

fn parse(stored: &Stored) -> Result<Object<'_>, StoreError> {
    Object::parse(stored.as_ref()).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("a record cannot be read: {error}"))
}
