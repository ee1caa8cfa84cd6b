//! Lists: which objects, in which order, which part of them, and what of each.
//!
//! One engine for every list of the product. It knows nothing of integrations: an object type
//! brings a [`Schema`], and objects are the JSON they are stored as. Everything here is values in,
//! values out; reading the store, counting and cutting out the page are the caller's:
//!
//! ```text
//! ListQuery::parse(schema, query)          every fault at once, or
//!   .filters.matches(&RawObject::parse(json)) which objects
//!   .order                                 by tinyId, or by (sort.key(&object), tinyId)
//!   .page                                  offset, limit, has_more, the Link header
//!   .select.apply(json)                    what is shown of each
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
    object::RawObject,
    page::{Page, PageStyle},
    schema::{Attribute, AttributeKind, FieldPath, Schema},
    select::Select,
    sort::{Sort, SortKey, SortOrder},
};

use self::parameters::{Faults, Parameters};
use crate::domain::rejection::Rejection;

/// Attributes by which one list is filtered and sorted. Each is looked up in every object of the
/// account.
const MOST_PLACES: usize = 16;

/// What the query of a list asks for.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Which objects belong to the list.
    pub filters: Filters,
    /// How they are ordered.
    pub order: SortOrder,
    /// Which part is answered.
    pub page: Page,
    /// Which attributes are answered; all of them if `None`.
    pub select: Option<Select>,
}

impl ListQuery {
    /// Reads the query of a list, as it stands in the request after the `?`.
    ///
    /// # Errors
    /// `Rejection::Invalid` with every fault of the query: what was given twice, then the keywords,
    /// then the filters in the order of the object's attributes. Of a query that names too many
    /// attributes that is all that is said.
    pub fn parse(schema: Schema, raw_query: &str) -> Result<Self, Rejection> {
        let mut faults = Faults::default();
        let parameters = Parameters::parse(raw_query, &mut faults);
        let places = parameters
            .filters()
            .count()
            .saturating_add(sort::count(&parameters));

        if places > MOST_PLACES {
            let fault = format!(
                "A list may be filtered and sorted by {MOST_PLACES} attributes in all, but this one names {places}"
            );
            return Err(Rejection::invalid(fault));
        }

        let query = Self {
            page: Page::read(&parameters, &mut faults),
            order: SortOrder::read(schema, &parameters, &mut faults),
            select: Select::read(schema, &parameters, &mut faults),
            filters: Filters::read(schema, &parameters, &mut faults),
        };

        faults.into_result().map(|()| query)
    }
}

#[cfg(test)]
mod tests;
