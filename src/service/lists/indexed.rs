//! Lists from an account's index: reads only the records of the page.

use super::{RecordPage, page_limit};
use crate::{
    domain::{
        ids::AccountId,
        list::{FieldPath, Filters, ListQuery, Sort, SortKey, SortOrder},
    },
    store::{Collection, IndexView, IndexedSnapshot, StoreError},
};
use roaring::RoaringTreemap;
use std::{borrow::Cow, collections::BTreeMap};

/// Whether the query costs no more than reading its page: no field needs a scan, or there are few
/// records with short values.
pub(super) fn is_quick(view: &IndexView, query: &ListQuery) -> bool {
    const MAX_RECORDS: u64 = 1_000;
    const MAX_BYTES: usize = 256 << 10;
    let is_quick = |path: &FieldPath| {
        !view.needs_scan(path)
            || (view.live().len() <= MAX_RECORDS && view.field_bytes(path) <= MAX_BYTES)
    };
    super::field_paths(query).into_iter().all(is_quick)
}

/// Finds the records of the page. `None` if they have more than `max_bytes`.
pub(super) fn find(
    indexed: &IndexedSnapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
    max_bytes: usize,
) -> Result<Option<RecordPage>, StoreError> {
    let IndexedSnapshot { view, snapshot } = indexed;
    let found = filtered(view, &query.filters)?;
    let (total, offset, limit) = (found.len(), query.page.offset, page_limit(query));
    let page = match &query.order {
        SortOrder::TinyIdAscending => slice_of(&found, offset, limit),
        SortOrder::TinyIdDescending => {
            // The same slice, counted from the other end.
            let behind = total.saturating_sub(offset);
            let length = behind.min(query.page.limit);
            let mut page = slice_of(
                &found,
                behind.saturating_sub(length),
                usize::try_from(length).unwrap_or(limit),
            );
            page.reverse();
            page
        }
        SortOrder::Sorted(sort) => match by_value(view, sort, &found)? {
            Some(groups) => slice_of_groups(groups, offset, limit),
            None => sorted(view, sort, &found, offset, limit),
        },
    };

    let page = snapshot.records_by_tiny_id(collection, account, &page, max_bytes)?;
    Ok(page.map(|records| RecordPage { records, total }))
}

/// The records that match all filters. Filters that are evaluated once for each distinct value come
/// first and leave less for the others.
fn filtered<'a>(
    view: &'a IndexView,
    filters: &Filters,
) -> Result<Cow<'a, RoaringTreemap>, StoreError> {
    let mut filters: Vec<_> = filters.iter().collect();
    filters.sort_by_key(|filter| view.needs_scan(filter.path()));
    let everything = Cow::Borrowed(view.live());
    filters.into_iter().try_fold(everything, |found, filter| {
        let chosen = view.select(filter.path(), &found, |value| filter.accepts(value));
        Ok(Cow::Owned(
            chosen.ok_or_else(|| not_indexed(filter.path()))?,
        ))
    })
}

const MAX_PAGE_LEN: usize = 100;

/// At most `limit` numbers, starting at `offset`.
fn slice_of(numbers: &RoaringTreemap, offset: u64, limit: usize) -> Vec<u64> {
    let Some(first) = numbers.select(offset) else {
        return Vec::new();
    };

    let mut rest = numbers.iter();
    rest.advance_to(first);
    // Not `collect`: the iterator would count everything that is left first.
    let mut page = Vec::with_capacity(limit.min(MAX_PAGE_LEN));

    while page.len() < limit {
        let Some(number) = rest.next() else { break };
        page.push(number);
    }

    page
}

/// For an order by one field with few distinct values: the records with each value, in the order of
/// the values.
fn by_value(
    view: &IndexView,
    sort: &Sort,
    found: &RoaringTreemap,
) -> Result<Option<Vec<RoaringTreemap>>, StoreError> {
    let mut paths = sort.paths();
    let (Some(path), None) = (paths.next(), paths.next()) else {
        return Ok(None);
    };

    if view.needs_scan(path) {
        return Ok(None);
    }

    let values = view.values(path).ok_or_else(|| not_indexed(path))?;
    let mut groups = BTreeMap::<SortKey, RoaringTreemap>::new();
    let mut rest = found.clone();

    for (value, numbers) in values {
        rest -= numbers;
        *groups.entry(sort.key_of(|_| Some(value))).or_default() |= numbers & found;
    }

    *groups.entry(sort.key_of(|_| None)).or_default() |= rest;
    Ok(Some(groups.into_values().collect()))
}

/// At most `limit` numbers of these groups in a row, starting at `offset`.
fn slice_of_groups(groups: Vec<RoaringTreemap>, mut offset: u64, limit: usize) -> Vec<u64> {
    let mut page = Vec::new();
    for group in groups {
        page.extend(slice_of(&group, offset, limit.saturating_sub(page.len())));
        offset = offset.saturating_sub(group.len());
    }
    page
}

/// For any other order: holds the keys of the records that may be on the page, never of all.
fn sorted(
    view: &IndexView,
    sort: &Sort,
    found: &RoaringTreemap,
    offset: u64,
    limit: usize,
) -> Vec<u64> {
    const MIN_CAPACITY: usize = 4_096;
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let end = offset.saturating_add(limit);
    let capacity = end.saturating_mul(2).max(MIN_CAPACITY);
    let mut first: Vec<(SortKey, u64)> = Vec::new();

    for tiny_id in found {
        first.push((sort.key_of(|path| view.value(path, tiny_id)), tiny_id));
        if first.len() >= capacity {
            // Moves what sorts before the end of the page to the front, in any order.
            first.select_nth_unstable(end);
            first.truncate(end);
        }
    }

    first.sort_unstable();
    first
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(|(_, tiny_id)| tiny_id)
        .collect()
}

fn not_indexed(path: &FieldPath) -> StoreError {
    StoreError::Damaged(format!("the index lacks '{}'", path.name()))
}
