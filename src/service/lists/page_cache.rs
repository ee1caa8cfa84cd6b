//! Cache of encoded list pages, valid until anything changes in their account.

use super::ListPage;
use crate::domain::{ids::AccountId, list::ListQuery};
use crate::store::{Collection, Stored};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};
use std::sync::Arc;

/// The records of a page.
#[derive(Debug)]
pub struct RecordPage {
    /// The records, in the order of the page.
    pub records: Vec<Stored>,
    /// Number of all records that match.
    pub total: u64,
}

/// Encodes a page in the wire format of the API.
pub type EncodePage = fn(&RecordPage, &ListQuery) -> serde_json::Result<Bytes>;

/// Encoded pages of all collections, bounded by their bytes. Clones share one cache.
#[derive(Clone, Debug)]
pub struct PageCache {
    pages: Arc<Cache<Box<[u8]>, CachedPage, PageWeight>>,
    encode: EncodePage,
}

/// A page, and the last change of the account that it shows.
#[derive(Clone, Debug)]
struct CachedPage {
    last_change: u64,
    page: ListPage,
}

#[derive(Clone, Debug)]
struct PageWeight;

impl Weighter<Box<[u8]>, CachedPage> for PageWeight {
    fn weight(&self, key: &Box<[u8]>, cached: &CachedPage) -> u64 {
        const OVERHEAD: usize = 128;
        let bytes = key
            .len()
            .saturating_add(cached.page.body.len())
            .saturating_add(OVERHEAD);
        bytes.try_into().unwrap_or(u64::MAX)
    }
}

/// From this the cache estimates how many pages it will hold.
const TYPICAL_PAGE_BYTES: u64 = 4096;

impl PageCache {
    /// A cache of at most `max_bytes`; 0 disables it. `encode` makes the pages that are cached.
    pub fn new(max_bytes: u64, encode: EncodePage) -> Self {
        let estimated_pages = usize::try_from(max_bytes / TYPICAL_PAGE_BYTES).unwrap_or(usize::MAX);
        let pages = Cache::with_weighter(estimated_pages, max_bytes, PageWeight);
        Self {
            pages: Arc::new(pages),
            encode,
        }
    }

    pub(super) fn encode(&self, page: &RecordPage, query: &ListQuery) -> serde_json::Result<Bytes> {
        (self.encode)(page, query)
    }

    /// The page for this query, if nothing has changed in the account since.
    pub(super) fn get(
        &self,
        collection: Collection,
        account: &AccountId,
        raw_query: &str,
        last_change: u64,
    ) -> Option<ListPage> {
        let cached = self.pages.get(&key(collection, account, raw_query))?;
        (cached.last_change == last_change).then_some(cached.page)
    }

    pub(super) fn insert(
        &self,
        collection: Collection,
        account: &AccountId,
        raw_query: &str,
        last_change: u64,
        page: ListPage,
    ) {
        self.pages.insert(
            key(collection, account, raw_query),
            CachedPage { last_change, page },
        );
    }
}

fn key(collection: Collection, account: &AccountId, raw_query: &str) -> Box<[u8]> {
    [
        collection.name().as_bytes(),
        &[0],
        account.as_str().as_bytes(),
        &[0],
        raw_query.as_bytes(),
    ]
    .concat()
    .into()
}
