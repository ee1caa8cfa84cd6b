//! Random list queries, and a plain implementation of what each must return.

mod evaluate;

use super::world::Object;
use evaluate::{Directed, Key};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use std::cmp::Reverse;

/// A query that is always well-formed.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    filters: Vec<Filter>,
    /// Attributes, and whether each has a minus.
    sort: Vec<(&'static str, bool)>,
    descending: bool,
    limit: Option<usize>,
    start: Option<Start>,
    select: Option<Vec<&'static str>>,
}

#[derive(Clone, Debug)]
struct Filter {
    attribute: &'static str,
    operator: &'static str,
    value: String,
}

#[derive(Clone, Copy, Debug)]
enum Start {
    Offset(usize),
    Page(usize),
}

const SORTED_BY: [&str; 9] = [
    "name",
    "type",
    "enabled",
    "urgency",
    "createdAt",
    "updatedAt",
    "tinyId",
    "meta.env",
    "destination_ids",
];
const SHOWN: [&str; 6] = ["sid", "id", "updatedAt", "name", "enabled", "meta"];

pub(crate) fn query() -> impl Strategy<Value = Query> {
    query_of(filter(), &SORTED_BY, &SHOWN)
}

const ALERTS_SORTED_BY: [&str; 8] = [
    "title",
    "status",
    "urgency",
    "createdAt",
    "updatedAt",
    "tinyId",
    "acknowledged",
    "thirdparty_id",
];
const ALERTS_SHOWN: [&str; 6] = ["sid", "id", "title", "status", "tags", "meta"];
/// Stands for the integration that reports, whose id is not known before.
const SOURCE: &str = "the source";

/// The same about alerts.
pub(crate) fn query_of_alerts() -> impl Strategy<Value = Query> {
    let equal = || vec!["equals", "ne"];
    let filter = prop_oneof![
        filter_on(
            "status",
            equal(),
            &["open", "acknowledged", "resolved", "archived", "dropped"]
        ),
        filter_on("urgency", equal(), &["low", "medium", "high", "critical"]),
        filter_on("source_id", equal(), &[SOURCE, "int_nobody"]),
        filter_on(
            "title",
            vec!["equals", "contains", "beginsWith", "gte"],
            &["Disk full", "disk", "cpu", "ö"]
        ),
        filter_on("thirdparty_id", equal(), &["disk", "cpu", "job-7"]),
        filter_on("acknowledged", equal(), &["null"]),
        filter_on("resolved", equal(), &["null"]),
        filter_on("tags", vec!["equals", "contains"], &["eu", "db"]),
        filter_on(
            "tinyId",
            vec!["equals", "lt", "gte", "between"],
            &["1", "2", "3", "8"]
        ),
    ];

    query_of(filter, &ALERTS_SORTED_BY, &ALERTS_SHOWN)
}

fn query_of(
    filter: impl Strategy<Value = Filter>,
    sorted_by: &'static [&'static str],
    shown: &'static [&'static str],
) -> impl Strategy<Value = Query> {
    let filters = vec(filter, 0..3).prop_map(|mut filters| {
        filters.sort_by_key(|filter| filter.attribute);
        filters.dedup_by_key(|filter| filter.attribute);
        filters
    });

    let sort = prop::sample::subsequence(sorted_by.to_vec(), 0..3).prop_shuffle();
    let sort = (sort, any::<[bool; 3]>())
        .prop_map(|(names, minuses)| names.into_iter().zip(minuses).collect());
    let start = option::of(prop_oneof![
        (0..8_usize).prop_map(Start::Offset),
        (1..4_usize).prop_map(Start::Page)
    ]);
    let shown = option::weighted(
        0.2,
        prop::sample::subsequence(shown.to_vec(), 1..=shown.len()),
    );

    (
        filters,
        sort,
        prop::bool::weighted(0.3),
        option::of(1..6_usize),
        start,
        shown,
    )
        .prop_map(|(filters, sort, descending, limit, start, select)| Query {
            filters,
            sort,
            descending,
            limit,
            start,
            select,
        })
}

fn filter() -> impl Strategy<Value = Filter> {
    let text = vec![
        "equals",
        "ne",
        "lt",
        "lte",
        "gt",
        "gte",
        "beginsWith",
        "contains",
        "between",
    ];
    let order = vec!["equals", "ne", "lt", "lte", "gt", "gte", "between"];
    let equal = vec!["equals", "ne"];
    let times = [
        "2018-04-27T00:02:50.419Z",
        "1524787370.419",
        "1524787371",
        "2018-04-27T02:03:00+02:00",
    ];

    prop_oneof![
        filter_on(
            "name",
            text.clone(),
            &["Datadog", "datadog", "Gr", "a, b", "Größe & Co", "z", "q"]
        ),
        filter_on("type", text.clone(), &["email", "webhook", "e"]),
        filter_on("urgency", text, &["low", "medium", "h"]),
        filter_on(
            "tinyId",
            order.clone(),
            &["1", "2", "3", "1e1", "2.5", "-1"]
        ),
        filter_on("createdAt", order.clone(), &times),
        filter_on("updatedAt", order, &times),
        filter_on("enabled", equal.clone(), &["true", "false", "1", "0"]),
        filter_on(
            "destination_ids",
            vec!["equals", "ne", "contains"],
            &["tem_1", "usr_2", "tem_"]
        ),
        filter_on(
            "meta.env",
            equal,
            &["prod", "dev", "1", "10", "1.0", "true", "0", "null"]
        ),
    ]
}

fn filter_on(
    attribute: &'static str,
    operators: Vec<&'static str>,
    values: &[&'static str],
) -> impl Strategy<Value = Filter> + use<> {
    let value = select(values.to_vec());
    (select(operators), value.clone(), value).prop_map(move |(operator, value, other)| {
        let value = if operator == "between" {
            format!("{value}..{other}")
        } else {
            value.to_owned()
        };
        Filter {
            attribute,
            operator,
            value,
        }
    })
}

impl Query {
    /// With the id of the integration that it is about.
    pub(crate) fn about(mut self, source: &str) -> Self {
        self.filters
            .iter_mut()
            .filter(|filter| filter.value == SOURCE)
            .for_each(|filter| filter.value = source.into());
        self
    }

    /// As it stands in the URL.
    pub(crate) fn encoded(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let operators: Vec<_> = self
            .filters
            .iter()
            .map(|filter| format!("{}:{}", filter.attribute, filter.operator))
            .collect();

        query.extend_pairs(
            self.filters
                .iter()
                .map(|filter| (filter.attribute, &filter.value)),
        );
        query.extend_pairs((!operators.is_empty()).then(|| ("ops", operators.join(","))));

        let sort = self
            .sort
            .iter()
            .map(|(attribute, minus)| format!("{}{attribute}", if *minus { "-" } else { "" }));
        let sort: Vec<_> = sort.collect();

        query.extend_pairs((!sort.is_empty()).then(|| ("sort", sort.join(","))));
        query.extend_pairs(self.descending.then_some(("sortdirection", "DESC")));
        query.extend_pairs(self.limit.map(|limit| ("limit", limit.to_string())));
        query.extend_pairs(self.start.map(|start| match start {
            Start::Offset(offset) => ("offset", offset.to_string()),
            Start::Page(page) => ("page", page.to_string()),
        }));
        query.extend_pairs(
            self.select
                .as_ref()
                .map(|names| ("select", names.join(","))),
        );

        query.finish()
    }

    /// The body that answers it, from all objects of the account in the order of their numbers.
    pub(crate) fn answer<'a>(&self, own: impl Iterator<Item = &'a Object>) -> String {
        let mut found: Vec<&Object> = own
            .filter(|object| self.filters.iter().all(|filter| filter.matches(object)))
            .collect();

        match &self.sort[..] {
            [] if self.descending => found.reverse(),
            [] => {}
            // A stable sort leaves ties in the order of their numbers.
            _ => found.sort_by_cached_key(|object| self.keys(object)),
        }

        let limit = self.limit.unwrap_or(10);
        let offset = match self.start {
            None => 0,
            Some(Start::Offset(offset)) => offset,
            Some(Start::Page(page)) => (page - 1) * limit,
        };

        let data: Vec<Value> = found
            .iter()
            .skip(offset)
            .take(limit)
            .map(|object| self.shown(object))
            .collect();
        let has_more = offset + limit < found.len();

        json!({ "data": data, "has_more": has_more, "total_count": found.len() }).to_string()
    }

    fn keys(&self, object: &Object) -> Vec<Directed> {
        let key = |(attribute, minus): &(&str, bool)| {
            let key = Key::of(object, attribute);
            if *minus || self.descending {
                Directed::Down(Reverse(key))
            } else {
                Directed::Up(key)
            }
        };
        self.sort.iter().map(key).collect()
    }

    fn shown(&self, object: &Object) -> Value {
        let mut object = object.clone();
        if let Some(names) = &self.select {
            object.retain(|name, _| names.contains(&name.as_str()));
        }
        Value::Object(object)
    }
}
