//! Answering a list query from a snapshot: one piece of code for every kind of object.

use crate::{
    domain::{
        ids::AccountId,
        list::{ListQuery, Object, Order},
    },
    store::{Collection, Direction, Snapshot, StoreError, Stored},
};

/// One page of a list.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The objects, as they are to be written.
    pub objects: Vec<Vec<u8>>,
    /// How many objects match in all.
    pub total: u64,
}

/// Whether the query must look into every object of the account, which is too long for a thread that serves others.
pub fn reads_everything(query: &ListQuery) -> bool {
    !query.filters.is_empty() || matches!(query.order, Order::Sorted(_))
}

/// Answers the query.
///
/// # Errors
/// The store cannot be read or is damaged.
pub fn run(
    snapshot: &Snapshot,
    collection: Collection,
    account: &AccountId,
    query: &ListQuery,
) -> Result<ListPage, StoreError> {
    let (stored, total) = match &query.order {
        _ if !reads_everything(query) => {
            let total = snapshot.count(collection, account)?;
            let direction = direction(&query.order);
            (snapshot.page(collection, account, direction, query.page.offset, limit(query))?, total)
        }
        Order::TinyIdAscending | Order::TinyIdDescending => filtered(snapshot, collection, account, query)?,
        Order::Sorted(_) => sorted(snapshot, collection, account, query)?,
    };
    let objects = stored.iter().map(|stored| select(query, stored)).collect::<Result<_, _>>()?;
    Ok(ListPage { objects, total })
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
) -> Result<(Vec<Stored>, u64), StoreError> {
    let Order::Sorted(sort) = &query.order else { return filtered(snapshot, collection, account, query) };
    let mut found = Vec::new();
    snapshot.for_each(collection, account, Direction::Ascending, |tiny_id, stored| {
        let object = parse(&stored)?;
        if query.filters.matches(&object) {
            found.push((sort.key(&object), tiny_id, stored));
        }
        Ok(())
    })?;
    let total = found.len().try_into().unwrap_or(u64::MAX);
    found.sort_unstable_by(|(key, tiny_id, _), (other, other_id, _)| (key, tiny_id).cmp(&(other, other_id)));
    let offset = usize::try_from(query.page.offset).unwrap_or(usize::MAX);
    let page = found.into_iter().skip(offset).take(limit(query)).map(|(.., stored)| stored).collect();
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

fn select(query: &ListQuery, stored: &Stored) -> Result<Vec<u8>, StoreError> {
    match &query.select {
        None => Ok(stored.as_ref().to_vec()),
        Some(select) => select.apply(stored.as_ref()).map_err(unreadable),
    }
}

fn parse(stored: &Stored) -> Result<Object<'_>, StoreError> {
    Object::parse(stored.as_ref()).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Damaged(format!("a record cannot be read: {error}"))
}
