//! Lists without an index: reads every record of the account.

use super::{RecordPage, page_limit, scan_direction, unreadable};
use crate::{
    domain::{
        ids::AccountId,
        list::{ListQuery, RawObject, Sort, SortOrder},
    },
    store::{Collection, ScanDirection, Snapshot, StoreError, Stored},
};

/// Finds the records of the page.
pub(super) fn find(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
) -> Result<RecordPage, StoreError> {
    match &query.order {
        SortOrder::TinyIdAscending | SortOrder::TinyIdDescending => {
            filtered(snapshot, collection, account, query)
        }
        SortOrder::Sorted(sort) => sorted(snapshot, collection, account, query, sort),
    }
}

/// Filters in tinyId order: keeps the page and counts the rest.
fn filtered(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
) -> Result<RecordPage, StoreError> {
    let (mut page, mut total) = (Vec::new(), 0_u64);
    snapshot.for_each(
        collection,
        account,
        scan_direction(&query.order),
        |_, stored| {
            if query.filters.matches(&parse(&stored)?) {
                if total >= query.page.offset && page.len() < page_limit(query) {
                    page.push(stored);
                }
                total = total.saturating_add(1);
            }
            Ok(())
        },
    )?;
    Ok(RecordPage {
        records: page,
        total,
    })
}

/// Filters and sorts: holds the keys of all matches, but only the records of the page.
fn sorted(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
    sort: &Sort,
) -> Result<RecordPage, StoreError> {
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
    let page = found.iter().skip(offset).take(page_limit(query));
    let page = page
        .map(|(_, tiny_id)| snapshot.record_by_tiny_id(collection, account, *tiny_id))
        .collect::<Result<_, _>>()?;

    Ok(RecordPage {
        records: page,
        total,
    })
}

fn parse(stored: &Stored) -> Result<RawObject<'_>, StoreError> {
    RawObject::parse(stored.as_ref()).map_err(unreadable)
}
