//! The parts of a list query together.

use super::*;

const SCHEMA: Schema = Schema(&[
    Attribute::new("id", AttributeKind::Text),
    Attribute::new("tinyId", AttributeKind::Number),
    Attribute::new("name", AttributeKind::Text),
    Attribute::new("enabled", AttributeKind::Boolean),
    Attribute::new("meta", AttributeKind::Object),
]);

/// The answer to a list as a caller would put it together.
fn list(raw_query: &str, stored: &[&str]) -> (Vec<String>, bool) {
    let query = ListQuery::parse(SCHEMA, raw_query).unwrap();
    let objects = stored
        .iter()
        .enumerate()
        .map(|(tiny_id, json)| (tiny_id, RawObject::parse(json.as_bytes()).unwrap()));
    let matching = objects.filter(|(_, object)| query.filters.matches(object));
    let mut ordered: Vec<(Option<SortKey>, usize)> = match &query.order {
        SortOrder::TinyIdAscending | SortOrder::TinyIdDescending => {
            matching.map(|(tiny_id, _)| (None, tiny_id)).collect()
        }
        SortOrder::Sorted(sort) => matching
            .map(|(tiny_id, object)| (Some(sort.key(&object)), tiny_id))
            .collect(),
    };

    ordered.sort();
    if matches!(query.order, SortOrder::TinyIdDescending) {
        ordered.reverse();
    }

    let start = usize::try_from(query.page.offset).unwrap();
    let page = ordered
        .iter()
        .skip(start)
        .take(usize::try_from(query.page.limit).unwrap());
    let quoted = page.map(|(_, tiny_id)| match &query.select {
        None => stored[*tiny_id].to_owned(),
        Some(select) => {
            String::from_utf8(select.apply(stored[*tiny_id].as_bytes()).unwrap()).unwrap()
        }
    });

    (quoted.collect(), query.page.has_more(ordered.len() as u64))
}

const STORED: [&str; 4] = [
    r#"{"id":"int_a","name":"web","enabled":true,"meta":{"env":"prod"}}"#,
    r#"{"id":"int_b","name":"db","enabled":true,"meta":{"env":"test"}}"#,
    r#"{"id":"int_c","name":"api","enabled":false,"meta":{"env":"prod"}}"#,
    r#"{"id":"int_d","name":"api","enabled":true,"meta":{}}"#,
];

#[test]
fn an_empty_query_is_the_first_page_of_everything() {
    assert_eq!(
        list("", &STORED),
        (STORED.map(str::to_owned).to_vec(), false)
    );
    assert_eq!(list("&&", &STORED).0.len(), 4);
}

#[test]
fn filters_order_page_and_select_work_together() {
    let (quoted, more) = list("enabled=true&sort=-name&limit=2&select=id", &STORED);
    assert_eq!(quoted, [r#"{"id":"int_a"}"#, r#"{"id":"int_b"}"#]);
    assert!(more);
    let (quoted, more) = list("enabled=true&sort=-name&limit=2&page=2&select=id", &STORED);
    assert_eq!(quoted, [r#"{"id":"int_d"}"#]);
    assert!(!more);
}

#[test]
fn newest_first_and_below_an_object() {
    let (quoted, _) = list("meta.env=prod&sortdirection=DESC&select=id", &STORED);
    assert_eq!(quoted, [r#"{"id":"int_c"}"#, r#"{"id":"int_a"}"#]);
}

#[test]
fn ties_are_broken_by_creation() {
    let (quoted, _) = list("sort=name&limit=2&select=id", &STORED);
    assert_eq!(quoted, [r#"{"id":"int_c"}"#, r#"{"id":"int_d"}"#]);
}

#[test]
fn past_the_end_is_an_empty_page() {
    assert_eq!(list("offset=100", &STORED), (Vec::new(), false));
}

#[test]
fn all_errors_of_a_query_are_reported() {
    let query = "enabled=perhaps&limit=0&limit=500&page=0&offset=1&sort=name,colour&sortdirection=sideways&select=size\
                 &ops=enabled:lt,name:contains,broken&tinyId=x&color=red";
    let names = "id, tinyId, name, enabled, meta";

    assert_eq!(
        ListQuery::parse(SCHEMA, query).unwrap_err().messages(),
        [
            "'limit' must be given only once".to_owned(),
            "'limit' must be a whole number from 1 to 100, but was '0'".to_owned(),
            "'page' must be a whole number from 1 to 9007199254740991, but was '0'".to_owned(),
            format!("'colour' in 'sort' is not an attribute; there are {names}"),
            "'sortdirection' must be ASC or DESC, but was 'sideways'".to_owned(),
            format!("'size' in 'select' is not an attribute; there are {names}"),
            "'name' in 'ops' must be given as a filter too".to_owned(),
            "'ops' must be pairs like name:contains, comma separated, but has 'broken'".to_owned(),
            "'tinyId' must be a number, but was 'x'".to_owned(),
            "'enabled' must be true, false, 1 or 0, but was 'perhaps'".to_owned(),
            format!("'color' is not an attribute; there are {names}"),
        ]
    );
}
