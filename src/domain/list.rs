//! List queries: filters, order, page and selection.
//!
//! One engine serves every list. It is independent of object types: each supplies a [`Schema`], and
//! objects are the JSON they are stored as. All functions are pure; the caller reads the store,
//! counts and selects the page:
//!
//! ```text
//! ListQuery::parse(schema, query)          every error at once, or
//!   .filters.matches(&RawObject::parse(json)) which objects
//!   .order                                 by tinyId, or by (sort.key(&object), tinyId)
//!   .page                                  offset, limit, has_more, the Link header
//!   .select.apply(json)                    what is quoted of each
//! ```

mod comparison;
mod filter;
mod instant;
mod json;
mod number;
mod object;
mod operator;
mod page;
mod parameters;
mod schema;
mod select;
mod sort;
mod walk;

pub use self::{
    filter::{Filter, Filters},
    json::ExpectedJson,
    object::RawObject,
    page::{Page, PageStyle},
    schema::{Attribute, AttributeKind, FieldPath, Schema},
    select::Select,
    sort::{Sort, SortKey, SortOrder},
};

pub(crate) use self::filter::describe;
use self::parameters::{Parameters, QueryErrors};
use crate::domain::rejection::Rejection;

/// Maximum number of filters and sort fields. Each is looked up in every object of the account.
const MAX_FIELD_PATHS: usize = 16;

/// A parsed list query.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Which objects the list contains.
    pub filters: Filters,
    /// Their order.
    pub order: SortOrder,
    /// The part to return.
    pub page: Page,
    /// The attributes to return. `None` for all.
    pub select: Option<Select>,
}

impl ListQuery {
    /// Parses the query of a list, the part of the URL after `?`.
    ///
    /// # Errors
    /// `Rejection::Invalid` with every error of the query: duplicates, then keywords, then filters
    /// in the order of the object's attributes. A query with too many attributes gets only that
    /// error.
    pub fn parse(schema: Schema, raw_query: &str) -> Result<Self, Rejection> {
        let mut errors = QueryErrors::default();
        let parameters = Parameters::parse(raw_query, &mut errors);
        let paths = parameters
            .filters()
            .count()
            .saturating_add(sort::count(&parameters));

        if paths > MAX_FIELD_PATHS {
            let error = format!(
                "A list may be filtered and sorted by {MAX_FIELD_PATHS} attributes in all, but this one names {paths}"
            );
            return Err(Rejection::invalid(error));
        }

        let query = Self {
            page: Page::read(&parameters, &mut errors),
            order: SortOrder::read(schema, &parameters, &mut errors),
            select: Select::read(schema, &parameters, &mut errors),
            filters: Filters::read(schema, &parameters, &mut errors),
        };

        errors.into_result().map(|()| query)
    }
}

#[cfg(test)]
mod tests;
