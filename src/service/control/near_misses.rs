//! The nearest misses of a list: records that satisfy most of its filters.

use crate::{
    domain::{
        list::{Filters, RawObject},
        request_match::MatchReport,
    },
    service::objects::unreadable,
    store::{StoreError, Stored},
};
use std::cmp::Reverse;

/// Near misses that a message lists.
const MAX_LISTED: usize = 5;

/// Why the records nearest to satisfying the filters do not, each in a sentence. `records` has the
/// latest last, and `name` says what the sentence calls one.
///
/// # Errors
/// A record cannot be read.
pub fn near_misses(
    records: &[Stored],
    filters: &Filters,
    name: impl Fn(&Stored) -> String,
) -> Result<Vec<String>, StoreError> {
    let mut misses = Vec::new();
    for (position, record) in records.iter().enumerate() {
        let object = RawObject::parse(record.as_ref()).map_err(unreadable)?;
        let report = report(&object, filters);
        if !report.is_match() {
            misses.push((report.likeness(), position, report));
        }
    }

    misses.sort_by_key(|(likeness, position, _)| Reverse((*likeness, *position)));
    let nearest = misses.iter().take(MAX_LISTED);
    Ok(nearest
        .filter_map(|(_, position, report)| Some(report.sentence(&name(records.get(*position)?))))
        .collect())
}

fn report(object: &RawObject<'_>, filters: &Filters) -> MatchReport {
    let mut report = MatchReport::default();
    for filter in filters.iter() {
        let path = filter.path();
        // Members of a JSON body are named without `json` in queries.
        let name = path.name().replacen("body.json.", "body.", 1);
        match filter.explain(&name, path.find(object)) {
            None => report.add_matched(&name),
            Some(reason) => report.add_missed(reason, 0),
        }
    }
    report
}
