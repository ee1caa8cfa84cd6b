//! Every operator on every kind, as tables: a query and whether the object belongs to the list.

mod nulls;
mod objects;

use super::*;
use crate::domain::list::schema::Attribute;

const SCHEMA: Schema = Schema(&[
    Attribute::new("createdAt", AttributeKind::Time),
    Attribute::new("tinyId", AttributeKind::Number),
    Attribute::new("name", AttributeKind::Text),
    Attribute::new("destination_ids", AttributeKind::TextArray),
    Attribute::new("enabled", AttributeKind::Boolean),
    Attribute::new("meta", AttributeKind::Object),
    Attribute::new("resolved", AttributeKind::Number).or_null(),
    Attribute::new("resolvedby", AttributeKind::Text).or_null(),
    Attribute::new("response", AttributeKind::Object).or_null(),
]);

const STORED: &str = r#"{
    "createdAt": "2018-04-27T00:02:50.419Z", "tinyId": 42, "name": "Größe \"M\" \ud83e\udd80",
    "destination_ids": ["tem_a", "usr_b\u00e9"], "enabled": true,
    "meta": {
        "env": "prod", "count": 10, "ratio": 0.5, "big": 9007199254740993, "on": true, "none": null, "digits": "10",
        "tags": ["red", "green", 7, true, null, {"x": 1}, ["deep"]], "owner": {"team": "ops", "level": 3},
        "a.b": {"c": "dotted"}, "": "unnamed"
    }
}"#;

fn read(query: &str) -> Result<Filters, Vec<String>> {
    let mut errors = QueryErrors::default();
    let filters = Filters::read(SCHEMA, &Parameters::parse(query, &mut errors), &mut errors);
    errors
        .into_result()
        .map(|()| filters)
        .map_err(|rejection| rejection.messages())
}

fn matches(query: &str, stored: &str) -> bool {
    read(query)
        .unwrap()
        .matches(&RawObject::parse(stored.as_bytes()).unwrap())
}

/// One attribute: each operator with values that match and values that do not.
fn check(attribute: &str, table: &[(&str, &[&str], &[&str])]) {
    for (operator, yes, no) in table {
        for (values, expected) in [(yes, true), (no, false)] {
            for value in *values {
                let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
                let query = format!("{attribute}={value}&ops={attribute}:{operator}");
                assert_eq!(matches(&query, STORED), expected, "{query}");
            }
        }
    }
}

#[test]
fn without_filters_everything_matches() {
    assert!(read("limit=1&sort=name").unwrap().is_empty());
    assert!(matches("", "{}"));
    assert!(!read("name=").unwrap().is_empty());
}

#[test]
fn all_filters_must_match() {
    assert!(matches("tinyId=42&enabled=true", STORED));
    assert!(!matches("tinyId=42&enabled=false", STORED));
}

#[test]
fn text_is_compared_by_bytes() {
    check(
        "name",
        &[
            (
                "equals",
                &["Größe \"M\" 🦀"],
                &["größe \"M\" 🦀", "Größe", ""],
            ),
            ("ne", &["Größe", ""], &["Größe \"M\" 🦀"]),
            ("lt", &["H", "Größe \"N"], &["Größe \"M\" 🦀", "A", ""]),
            ("lte", &["H", "Größe \"M\" 🦀"], &["Größe", "A"]),
            ("gt", &["Größe", "A", ""], &["Größe \"M\" 🦀", "H", "a"]),
            ("gte", &["Größe \"M\" 🦀", "A"], &["H", "a"]),
            (
                "between",
                &["A..H", "Größe \"M\" 🦀..Größe \"M\" 🦀", "G..Größe..x"],
                &["H..Z", "Z..A"],
            ),
            ("beginsWith", &["Grö", "Größe \"", ""], &["grö", "röße"]),
            ("contains", &["\"M\" ", "🦀", ""], &["\\\"", "m", "\\ud83e"]),
        ],
    );
}

#[test]
fn numbers_are_compared_by_value() {
    check(
        "tinyId",
        &[
            (
                "equals",
                &["42", "42.0", "4.2e1"],
                &["41", "-42", "42.000000000000000001"],
            ),
            ("ne", &["41"], &["42", "42.00"]),
            ("lt", &["43", "100", "42.5"], &["42", "5", "-1"]),
            ("lte", &["42", "42.0"], &["41.9"]),
            ("gt", &["5", "-100", "41.999"], &["42", "100"]),
            ("gte", &["42", "5"], &["42.1"]),
            (
                "between",
                &["42..42", "5..100", "-1.5..4.2e1"],
                &["43..100", "100..5"],
            ),
            ("beginsWith", &["4", "42", ""], &["2", "42.0"]),
            ("contains", &["2", "42"], &["24", "."]),
        ],
    );
}

#[test]
fn booleans_are_true_false_1_and_0() {
    check(
        "enabled",
        &[
            ("equals", &["true", "1"], &["false", "0"]),
            ("ne", &["false", "0"], &["true", "1"]),
            ("lt", &[], &["true", "0"]),
            ("lte", &["1"], &["false"]),
            ("gt", &["false"], &["true"]),
            ("gte", &["true", "0"], &[]),
            (
                "between",
                &["0..1", "true..true"],
                &["false..false", "1..0"],
            ),
            ("beginsWith", &["t", "true"], &["1", "f"]),
            ("contains", &["ru"], &["x"]),
        ],
    );
}

#[test]
fn times_are_compared_as_instants() {
    let same = [
        "2018-04-27T00:02:50.419Z",
        "2018-04-27T02:02:50.419+02:00",
        "1524787370.419",
    ];
    let before = [
        "2018-04-27T00:02:50.418Z",
        "2018-04-27T02:02:50+02:00",
        "1524787370",
        "0",
        "1524787370.4189999",
    ];
    let after = [
        "2018-04-27T00:02:50.42Z",
        "2018-04-26T23:02:50.420-01:00",
        "1524787371",
        "1524787370.4195",
    ];
    let rest = [before, [after[0], after[1], after[2], after[3], after[0]]].concat();
    check(
        "createdAt",
        &[
            ("equals", &same, &rest),
            ("ne", &rest, &same),
            ("lt", &after, &[same.as_slice(), &before].concat()),
            ("lte", &[same.as_slice(), &after].concat(), &before),
            ("gt", &before, &[same.as_slice(), &after].concat()),
            ("gte", &[same.as_slice(), &before].concat(), &after),
            (
                "between",
                &["1524787370.419..1524787370.419", "0..2019-01-01T00:00:00Z"],
                &["0..1", "1524787370.42..2000000000"],
            ),
            (
                "beginsWith",
                &["2018-04", "2018-04-27T00:02:50.419Z", ""],
                &["2018-05", "1524787370"],
            ),
            ("contains", &["-27T", "419Z"], &["+"]),
        ],
    );
}

#[test]
fn a_plus_that_was_not_encoded_is_still_an_offset() {
    assert!(matches("createdAt=2018-04-27T02:02:50.419+02:00", STORED));
    let between =
        "createdAt=2018-04-27T02:02:50+02:00..2018-04-27T02:02:51+02:00&ops=createdAt:between";
    assert!(matches(between, STORED));
}

#[test]
fn a_text_array_matches_by_some_element() {
    check(
        "destination_ids",
        &[
            (
                "equals",
                &["tem_a", "usr_bé"],
                &["tem_", "", "tem_a,usr_bé"],
            ),
            ("ne", &["tem_", "x"], &["tem_a", "usr_bé"]),
            ("lt", &["tem_b", "z"], &["tem_a", "a"]),
            ("lte", &["tem_a"], &["tem_"]),
            ("gt", &["tem_a", "u"], &["usr_bé", "z"]),
            ("gte", &["usr_bé"], &["usr_c"]),
            (
                "between",
                &["u..v", "tem_a..tem_a"],
                &["a..b", "tem_b..usr_a"],
            ),
            ("beginsWith", &["tem_", "usr_bé", ""], &["em_a", "TEM"]),
            ("contains", &["tem_a", "usr_bé"], &["tem", "é", ""]),
        ],
    );
    assert!(!matches(
        "destination_ids=&ops=destination_ids:beginsWith",
        r#"{"destination_ids":[]}"#
    ));
    assert!(matches(
        "destination_ids=a&ops=destination_ids:ne",
        r#"{"destination_ids":[]}"#
    ));
}

#[test]
fn what_is_missing_matches_nothing_but_ne() {
    for attribute in [
        "meta.missing",
        "meta.owner.missing",
        "name",
        "destination_ids",
    ] {
        for operator in ["equals", "lt", "lte", "gt", "gte", "beginsWith", "contains"] {
            for value in ["", "null", "0"] {
                let query = format!("{attribute}={value}&ops={attribute}:{operator}");
                assert!(!matches(&query, r#"{"meta":{"owner":{}}}"#), "{query}");
            }
        }
        assert!(matches(
            &format!("{attribute}=null&ops={attribute}:ne"),
            r#"{"meta":{"owner":{}}}"#
        ));
    }

    assert!(!matches("tinyId=0", "{}"));
    assert!(matches(
        "createdAt=0&ops=createdAt:ne",
        r#"{"createdAt":null}"#
    ));
    assert!(matches("meta={}&ops=meta:ne", "{}"));
}

#[test]
fn a_stored_value_of_another_kind_matches_nothing_but_ne() {
    let stored = r#"{"createdAt":0,"tinyId":"42","name":42,"destination_ids":"a","enabled":"true","meta":[]}"#;
    for filter in [
        "createdAt=0",
        "tinyId=42",
        "name=42",
        "destination_ids=a",
        "enabled=true",
        "meta={}",
    ] {
        let (name, _) = filter.split_once('=').unwrap();
        assert!(!matches(filter, stored), "{filter}");
        assert!(
            matches(&format!("{filter}&ops={name}:ne"), stored),
            "{filter}"
        );
    }
}

#[test]
fn an_empty_value_is_a_legal_text() {
    assert!(matches("name=", r#"{"name":""}"#));
    assert!(matches("name", r#"{"name":""}"#));
    assert!(!matches("name=", r#"{"name":"a"}"#));
    assert!(matches("meta.x=", r#"{"meta":{"x":""}}"#));
}

#[test]
fn values_that_are_not_of_the_kind_are_refused_by_name() {
    let time = "an RFC 3339 time like 2018-04-27T00:02:50Z or unix seconds";
    for (query, expected) in [
        (
            "tinyId=ten",
            "'tinyId' must be a number, but was 'ten'".to_owned(),
        ),
        (
            "tinyId=",
            "'tinyId' must be a number, but was ''".to_owned(),
        ),
        (
            "tinyId=x&ops=tinyId:ne",
            "'tinyId' must be a number, but was 'x'".to_owned(),
        ),
        (
            "enabled=yes",
            "'enabled' must be true, false, 1 or 0, but was 'yes'".to_owned(),
        ),
        (
            "createdAt=2018-04",
            format!("'createdAt' must be {time}, but was '2018-04'"),
        ),
        (
            "meta=prod",
            "'meta' must be a JSON object like {\"env\":\"prod\"}, but was 'prod'".to_owned(),
        ),
        (
            "meta=[1]&ops=meta:contains",
            "'meta' must be a JSON object like {\"env\":\"prod\"}, but was '[1]'".to_owned(),
        ),
        (
            "createdAt=1..x&ops=createdAt:between",
            format!("'createdAt' must be two values written a..b, each {time}, but was '1..x'"),
        ),
        (
            "name=a&ops=name:between",
            "'name' must be two values written a..b, each a text, but was 'a'".to_owned(),
        ),
        (
            "meta.n=1..&ops=meta.n:between",
            "'meta.n' must be two values written a..b, each a text, but was '1..'".to_owned(),
        ),
        (
            "tinyId=1...5&ops=tinyId:between",
            "'tinyId' must be two values written a..b, each a number, but was '1...5'".to_owned(),
        ),
    ] {
        assert_eq!(read(query).unwrap_err(), [expected], "{query}");
    }
}

#[test]
fn a_whole_object_takes_three_operators() {
    for operator in ["lt", "lte", "gt", "gte", "beginsWith", "between"] {
        let expected =
            format!("'meta' is an object; 'ops' may say equals, ne or contains, not {operator}");
        assert_eq!(
            read(&format!("meta={{}}&ops=meta:{operator}")).unwrap_err(),
            [expected]
        );
    }
}

#[test]
fn faults_come_in_the_order_of_the_attributes_with_unknown_ones_last() {
    let names =
        "createdAt, tinyId, name, destination_ids, enabled, meta, resolved, resolvedby, response";
    assert_eq!(
        read("colour=red&enabled=x&name.x=1&tinyId=x&meta.=1&ops=enabled:like").unwrap_err(),
        [
            "the operator of 'enabled' in 'ops' must be one of equals, ne, lt, lte, gt, gte, beginsWith, contains, \
             between, but was 'like'"
                .to_owned(),
            "'tinyId' must be a number, but was 'x'".to_owned(),
            "'name.x' reaches below 'name', which is not an object; a dot may follow meta, response".to_owned(),
            "'meta.' must have a name after the dot".to_owned(),
            format!("'colour' is not an attribute; there are {names}"),
        ]
    );
}
