//! Lists of records that are in memory and not in the store.

use super::{RecordPage, page_limit, unreadable};
use crate::{
    domain::list::{ListQuery, RawObject, SortKey, SortOrder},
    store::{StoreError, Stored},
};

/// Finds the records of the page. The default order is that of `records`.
///
/// # Errors
/// A record cannot be read.
pub fn find(records: &[Stored], query: &ListQuery) -> Result<RecordPage, StoreError> {
    let is_whole = query.filters.is_empty() && !matches!(query.order, SortOrder::Sorted(_));
    let mut found = if is_whole {
        (0..records.len())
            .map(|position| (None, position))
            .collect()
    } else {
        select(records, query)?
    };

    match query.order {
        SortOrder::Sorted(_) => found.sort_unstable(),
        SortOrder::TinyIdDescending => found.reverse(),
        SortOrder::TinyIdAscending => {}
    }

    let total = found.len().try_into().unwrap_or(u64::MAX);
    let offset = usize::try_from(query.page.offset).unwrap_or(usize::MAX);
    let page = found.iter().skip(offset).take(page_limit(query));
    Ok(RecordPage {
        records: page
            .filter_map(|(_, position)| records.get(*position).cloned())
            .collect(),
        total,
    })
}

/// The records that match, each with its sort key if the query has an order of its own.
fn select(
    records: &[Stored],
    query: &ListQuery,
) -> Result<Vec<(Option<SortKey>, usize)>, StoreError> {
    let mut found = Vec::new();
    for (position, record) in records.iter().enumerate() {
        let object = RawObject::parse(record.as_ref()).map_err(unreadable)?;
        if query.filters.matches(&object) {
            let key = match &query.order {
                SortOrder::Sorted(sort) => Some(sort.key(&object)),
                SortOrder::TinyIdAscending | SortOrder::TinyIdDescending => None,
            };
            found.push((key, position));
        }
    }
    Ok(found)
}
