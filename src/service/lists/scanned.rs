//! Lists whose every object is read: what is left when there is no memory for an index.

use super::{Found, direction, limit, unreadable};
use crate::{
    domain::{
        ids::AccountId,
        list::{ListQuery, RawObject, Sort, SortOrder},
    },
    store::{Collection, ScanDirection, Snapshot, StoreError, Stored},
};

/// The objects of the page, and how many match in all.
pub(super) fn find(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
) -> Result<Found, StoreError> {
    match &query.order {
        SortOrder::TinyIdAscending | SortOrder::TinyIdDescending => {
            filtered(snapshot, collection, account, query)
        }
        SortOrder::Sorted(sort) => sorted(snapshot, collection, account, query, sort),
    }
}

/// What matches, in tinyId order: keeps the page, counts the rest.
fn filtered(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
) -> Result<Found, StoreError> {
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
    Ok(Found { page, total })
}

/// What matches, sorted: the keys of all, but the objects of the page only.
fn sorted(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
    sort: &Sort,
) -> Result<Found, StoreError> {
    let mut found = Vec::new();
    snapshot.for_each(
        collection,
        account,
        ScanDirection::Ascending,
        |tiny_id, stored| {
            let object = parse(&stored)?;
            if query.filters.matches(&object) {
                found.push((sort.key(&object), tiny_id));
            }
            Ok(())
        },
    )?;
    let total = found.len().try_into().unwrap_or(u64::MAX);
    found.sort_unstable();
    let offset = usize::try_from(query.page.offset).unwrap_or(usize::MAX);
    let page = found.iter().skip(offset).take(limit(query));
    let page = page
        .map(|(_, tiny_id)| snapshot.record_by_tiny_id(collection, account, *tiny_id))
        .collect::<Result<_, _>>()?;

    Ok(Found { page, total })
}

fn parse(stored: &Stored) -> Result<RawObject<'_>, StoreError> {
    RawObject::parse(stored.as_ref()).map_err(unreadable)
}
