//! Orders, as lists of names in the order in which they come out.

use super::*;
use crate::domain::list::schema::Attribute;

const SCHEMA: Schema = Schema(&[
    Attribute::new("id", AttributeKind::Text),
    Attribute::new("createdAt", AttributeKind::Time),
    Attribute::new("tinyId", AttributeKind::Number),
    Attribute::new("name", AttributeKind::Text),
    Attribute::new("destination_ids", AttributeKind::TextArray),
    Attribute::new("enabled", AttributeKind::Boolean),
    Attribute::new("meta", AttributeKind::Object),
]);

fn read(query: &str) -> Result<SortOrder, Vec<String>> {
    let mut errors = QueryErrors::default();
    let order = SortOrder::read(SCHEMA, &Parameters::parse(query, &mut errors), &mut errors);
    errors
        .into_result()
        .map(|()| order)
        .map_err(|rejection| rejection.messages())
}

/// The objects as they come out, each by its position in `objects`, which also breaks ties like
/// `tinyId` does.
fn order(query: &str, objects: &[&str]) -> Vec<usize> {
    let SortOrder::Sorted(sort) = read(query).unwrap() else {
        panic!("{query} is not a sort")
    };
    let key = |stored: &str| sort.key(&RawObject::parse(stored.as_bytes()).unwrap());
    let mut keys: Vec<_> = objects
        .iter()
        .enumerate()
        .map(|(position, stored)| (key(stored), position))
        .collect();
    keys.sort();
    keys.into_iter().map(|(_, position)| position).collect()
}

#[test]
fn without_sort_objects_come_as_created() {
    assert!(matches!(read(""), Ok(SortOrder::TinyIdAscending)));
    assert!(matches!(
        read("sortdirection=asc"),
        Ok(SortOrder::TinyIdAscending)
    ));
    assert!(matches!(
        read("sortdirection=DESC"),
        Ok(SortOrder::TinyIdDescending)
    ));
}

#[test]
fn tiny_id_is_the_order_that_needs_no_keys() {
    for (query, descending) in [
        ("sort=tinyId", false),
        ("sort=-tinyId", true),
        ("sort=+tinyId&sortdirection=DESC", false),
        ("sort=tinyId&sortdirection=desc", true),
        ("sort=-tinyId,name&sortdirection=ASC", true),
    ] {
        match read(query).unwrap() {
            SortOrder::TinyIdAscending => assert!(!descending, "{query}"),
            SortOrder::TinyIdDescending => assert!(descending, "{query}"),
            SortOrder::Sorted(_) => panic!("{query}"),
        }
    }

    assert!(matches!(
        read("sort=name,-tinyId"),
        Ok(SortOrder::Sorted(_))
    ));
}

#[test]
fn text_is_sorted_by_bytes() {
    let objects = [
        r#"{"name":"b"}"#,
        r#"{"name":"Z"}"#,
        r#"{"name":"\u00e9"}"#,
        r#"{"name":"a"}"#,
        r#"{"name":""}"#,
    ];
    assert_eq!(order("sort=name", &objects), [4, 1, 3, 0, 2]);
    assert_eq!(order("sort=-name", &objects), [2, 0, 3, 1, 4]);
}

#[test]
fn times_are_sorted_as_instants() {
    let objects = [
        r#"{"createdAt":"2018-04-27T00:00:00.000Z"}"#,
        r#"{"createdAt":"2018-04-27T01:00:00+02:00"}"#,
        r#"{"createdAt":"2018-04-26T23:59:59.999Z"}"#,
        r#"{"createdAt":null}"#,
    ];
    assert_eq!(order("sort=createdAt", &objects), [3, 1, 2, 0]);
}

#[test]
fn numbers_are_sorted_exactly() {
    let objects = [
        r#"{"meta":{"n":9007199254740993}}"#,
        r#"{"meta":{"n":9007199254740992.5}}"#,
        r#"{"meta":{"n":9007199254740992}}"#,
        r#"{"meta":{"n":1e300}}"#,
        r#"{"meta":{"n":-170141183460469231731687303715884105729}}"#,
        r#"{"meta":{"n":10}}"#,
        r#"{"meta":{"n":9}}"#,
    ];
    assert_eq!(order("sort=meta.n", &objects), [4, 6, 5, 2, 1, 0, 3]);
}

#[test]
fn arrays_are_sorted_element_by_element() {
    let objects = [
        r#"{"destination_ids":["b"]}"#,
        r#"{"destination_ids":["a","z"]}"#,
        r#"{"destination_ids":["a"]}"#,
        r#"{"destination_ids":[]}"#,
    ];
    assert_eq!(order("sort=destination_ids", &objects), [3, 2, 1, 0]);
}

#[test]
fn kinds_have_a_fixed_order_and_descending_is_its_reverse() {
    let ascending = [
        "null",
        "false",
        "true",
        "-1",
        "2",
        r#""""#,
        r#""1""#,
        r#""true""#,
        "[]",
        "[null]",
        "[1]",
        r#"["a"]"#,
        "[[]]",
        "[{}]",
        r#"{"a":1}"#,
    ];
    let objects: Vec<String> = ascending
        .iter()
        .map(|value| format!(r#"{{"meta":{{"x":{value}}}}}"#))
        .collect();
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let expected: Vec<usize> = (0..objects.len()).collect();
    assert_eq!(order("sort=meta.x", &objects), expected);
    assert_eq!(
        order("sort=-meta.x", &objects),
        expected.into_iter().rev().collect::<Vec<_>>()
    );
}

#[test]
fn missing_and_null_are_the_same_place_and_objects_too() {
    let objects = [
        r#"{"meta":{"x":{"b":1}}}"#,
        r#"{"meta":{"x":{}}}"#,
        r#"{"meta":{"x":null}}"#,
        r#"{"meta":{}}"#,
        "{}",
    ];
    assert_eq!(order("sort=meta.x", &objects), [2, 3, 4, 0, 1]);
    assert_eq!(order("sort=-meta.x", &objects), [0, 1, 2, 3, 4]);
}

#[test]
fn directions_mix() {
    let objects = [
        r#"{"name":"a","enabled":true,"id":"1"}"#,
        r#"{"name":"b","enabled":false,"id":"2"}"#,
        r#"{"name":"a","enabled":false,"id":"3"}"#,
        r#"{"name":"b","enabled":true,"id":"4"}"#,
        r#"{"name":"a","enabled":true,"id":"5"}"#,
    ];

    assert_eq!(order("sort=-name,enabled", &objects), [1, 3, 2, 0, 4]);
    assert_eq!(order("sort=name,-enabled,-id", &objects), [4, 0, 2, 3, 1]);
    assert_eq!(
        order("sort=%2Bname,enabled&sortdirection=desc", &objects),
        [0, 4, 2, 3, 1]
    );
    assert_eq!(
        order("sort=+name,+enabled&sortdirection=DESC", &objects),
        [2, 0, 4, 1, 3]
    );
    assert_eq!(
        order("sort=name&sortdirection=DESC", &objects),
        [1, 3, 0, 2, 4]
    );
}

#[test]
fn arrays_nested_without_end_do_not_exhaust_the_stack() {
    let deep = format!(
        r#"{{"meta":{{"x":{}{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(order("sort=meta.x", &[&deep, &deep]), [0, 1]);
}

#[test]
fn faults_say_what_would_be_right() {
    let names = "id, createdAt, tinyId, name, destination_ids, enabled, meta";
    for (query, expected) in [
        ("sort=", vec![format!("'sort' must name at least one attribute; there are {names}")]),
        ("sort=name,", vec![format!("'' in 'sort' is not an attribute; there are {names}")]),
        ("sort=-colour", vec![format!("'colour' in 'sort' is not an attribute; there are {names}")]),
        ("sort=--name", vec![format!("'-name' in 'sort' is not an attribute; there are {names}")]),
        (
            "sort=name,-name,%2Bname,id,id",
            vec!["'name' must stand only once in 'sort'".to_owned(), "'id' must stand only once in 'sort'".to_owned()],
        ),
        (
            "sort=name.x",
            vec!["'name.x' in 'sort' reaches below 'name', which is not an object; a dot may follow meta".into()],
        ),
        ("sortdirection=up", vec!["'sortdirection' must be ASC or DESC, but was 'up'".to_owned()]),
        ("sortdirection=", vec!["'sortdirection' must be ASC or DESC, but was ''".to_owned()]),
    ] {
        assert_eq!(read(query).unwrap_err(), expected, "{query}");
    }
}
