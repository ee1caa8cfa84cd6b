//! Lists that are found out from an account's index: only the objects of the page are read.

use super::{Found, limit};
use crate::{
    domain::{
        ids::AccountId,
        list::{FieldPath, Filters, ListQuery, Sort, SortKey, SortOrder},
    },
    store::{Collection, IndexView, IndexedSnapshot, StoreError},
};
use roaring::RoaringTreemap;
use std::{borrow::Cow, collections::BTreeMap};

/// Whether the answer costs no more than its page: nothing is asked of objects one by one, or there
/// are few with short values.
pub(super) fn is_quick(view: &IndexView, query: &ListQuery) -> bool {
    const FEW: u64 = 1_000;
    const SHORT: usize = 256 << 10;
    let is_quick = |place: &FieldPath| {
        !view.needs_scan(place) || (view.live().len() <= FEW && view.field_bytes(place) <= SHORT)
    };
    super::places(query).into_iter().all(is_quick)
}

/// The objects of the page, and how many match in all. `None` if the page has more than `most`
/// bytes.
pub(super) fn find(
    indexed: &IndexedSnapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
    most: usize,
) -> Result<Option<Found>, StoreError> {
    let IndexedSnapshot { view, snapshot } = indexed;
    let found = filtered(view, &query.filters)?;
    let (total, offset, limit) = (found.len(), query.page.offset, limit(query));
    let page = match &query.order {
        SortOrder::TinyIdAscending => stretch(&found, offset, limit),
        SortOrder::TinyIdDescending => {
            // The same stretch, counted from the other end.
            let behind = total.saturating_sub(offset);
            let length = behind.min(query.page.limit);
            let mut page = stretch(
                &found,
                behind.saturating_sub(length),
                usize::try_from(length).unwrap_or(limit),
            );
            page.reverse();
            page
        }
        SortOrder::Sorted(sort) => match by_value(view, sort, &found)? {
            Some(groups) => across(groups, offset, limit),
            None => sorted(view, sort, &found, offset, limit),
        },
    };

    let page = snapshot.records_by_tiny_id(collection, account, &page, most)?;
    Ok(page.map(|page| Found { page, total }))
}

/// What satisfies all filters. Those that are asked once for each value come first, and leave less
/// for the others.
fn filtered<'a>(
    view: &'a IndexView,
    filters: &Filters,
) -> Result<Cow<'a, RoaringTreemap>, StoreError> {
    let mut filters: Vec<_> = filters.iter().collect();
    filters.sort_by_key(|filter| view.needs_scan(filter.place()));
    let everything = Cow::Borrowed(view.live());
    filters.into_iter().try_fold(everything, |found, filter| {
        let chosen = view.select(filter.place(), &found, |value| filter.accepts(value));
        Ok(Cow::Owned(
            chosen.ok_or_else(|| not_indexed(filter.place()))?,
        ))
    })
}

/// Room for any page.
const MOST_OF_A_PAGE: usize = 100;

/// So many numbers from the one with `offset` before it.
fn stretch(numbers: &RoaringTreemap, offset: u64, limit: usize) -> Vec<u64> {
    let Some(first) = numbers.select(offset) else {
        return Vec::new();
    };

    let mut rest = numbers.iter();
    rest.advance_to(first);
    // Not collected: the iterator would count all that is left first.
    let mut page = Vec::with_capacity(limit.min(MOST_OF_A_PAGE));

    while page.len() < limit {
        let Some(number) = rest.next() else { break };
        page.push(number);
    }

    page
}

/// For an order by one place with few values: the objects with each of them, in the order of the
/// values.
fn by_value(
    view: &IndexView,
    sort: &Sort,
    found: &RoaringTreemap,
) -> Result<Option<Vec<RoaringTreemap>>, StoreError> {
    let mut places = sort.places();
    let (Some(place), None) = (places.next(), places.next()) else {
        return Ok(None);
    };

    if view.needs_scan(place) {
        return Ok(None);
    }

    let values = view.values(place).ok_or_else(|| not_indexed(place))?;
    let mut groups = BTreeMap::<SortKey, RoaringTreemap>::new();
    let mut rest = found.clone();

    for (value, numbers) in values {
        rest -= numbers;
        *groups.entry(sort.key_of(|_| Some(value))).or_default() |= numbers & found;
    }

    *groups.entry(sort.key_of(|_| None)).or_default() |= rest;
    Ok(Some(groups.into_values().collect()))
}

/// So many numbers of these groups, one after the other, from the one with `offset` before it.
fn across(groups: Vec<RoaringTreemap>, mut offset: u64, limit: usize) -> Vec<u64> {
    let mut page = Vec::new();
    for group in groups {
        page.extend(stretch(&group, offset, limit.saturating_sub(page.len())));
        offset = offset.saturating_sub(group.len());
    }
    page
}

/// For any other order: the keys of those that may be on the page, never of all at once.
fn sorted(
    view: &IndexView,
    sort: &Sort,
    found: &RoaringTreemap,
    offset: u64,
    limit: usize,
) -> Vec<u64> {
    const AT_LEAST: usize = 4_096;
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let end = offset.saturating_add(limit);
    let most = end.saturating_mul(2).max(AT_LEAST);
    let mut first: Vec<(SortKey, u64)> = Vec::new();

    for tiny_id in found {
        first.push((sort.key_of(|place| view.value(place, tiny_id)), tiny_id));
        if first.len() >= most {
            // Puts what belongs before the end of the page there, in whatever order.
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

fn not_indexed(place: &FieldPath) -> StoreError {
    StoreError::Damaged(format!("the index lacks '{}'", place.name()))
}
