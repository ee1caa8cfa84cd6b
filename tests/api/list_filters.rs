//! Filters: every operator on every kind of attribute, over HTTP.

use crate::{
    callers::{Caller, encoded, id},
    server::TestServer,
};
use serde_json::json;

/// 2018-04-27T00:00:00.000Z; each integration comes one second after the one before.
const START: i64 = 1_524_787_200_000;

/// Three integrations: a, b and c.
fn three() -> (TestServer, Caller) {
    let server = TestServer::at(START);
    let account = server.account("ops");
    account.created_from(json!({
        "name": "a", "type": "email", "enabled": true, "urgency": "low", "destination_ids": ["tem_a", "usr_b"],
        "meta": {"env": "prod", "count": 5, "on": true, "owner": {"team": "ops"}, "tags": ["x", 7]},
        "options": {"n": 1},
    }));
    server.clock.set(START + 1_000);
    account.created_from(json!({
        "name": "b", "type": "webhook", "enabled": false, "urgency": "high", "destination_ids": [],
        "meta": {"env": "dev", "count": 10, "on": false, "none": null}, "options": {"n": 1.0},
    }));
    server.clock.set(START + 2_000);
    account.created_from(json!({
        "name": "c", "type": "prometheus", "enabled": true, "urgency": "medium", "destination_ids": ["tem_a"],
    }));

    (server, account)
}

/// For one attribute: operator, value, and the names of those that match, put together.
fn check(attribute: &str, table: &[(&str, &str, &str)]) {
    let (_server, account) = three();
    for (operator, value, expected) in table {
        let mut query = format!("{attribute}={}", encoded(value));
        if !operator.is_empty() {
            query += &format!("&ops={attribute}:{operator}");
        }
        assert_eq!(account.names(&query).concat(), *expected, "{query}");
        assert_eq!(account.total(&query), expected.len() as u64, "{query}");
    }
}

#[test]
fn text_is_compared_by_bytes() {
    check(
        "type",
        &[
            ("", "email", "a"),
            ("", "Email", ""),
            ("equals", "webhook", "b"),
            ("ne", "email", "bc"),
            ("lt", "prometheus", "a"),
            ("lte", "prometheus", "ac"),
            ("gt", "prometheus", "b"),
            ("gte", "prometheus", "bc"),
            ("between", "email..prometheus", "ac"),
            ("beginsWith", "pro", "c"),
            ("contains", "ho", "b"),
            ("contains", "", "abc"),
        ],
    );
    check(
        "name",
        &[("", "a", "a"), ("gt", "A", "abc"), ("lt", "Z", "")],
    );
    check(
        "urgency",
        &[("", "high", "b"), ("ne", "high", "ac"), ("lt", "low", "b")],
    );
    check("sid", &[("beginsWith", "acc_", "abc"), ("", "acc_", "")]);
}

#[test]
fn ids_are_compared_as_text() {
    let (_server, account) = three();
    let second = account.listed("", "id")[1].as_str().unwrap().to_owned();
    assert_eq!(account.names(&format!("id={second}")), ["b"]);
    assert_eq!(account.names(&format!("id={second}&ops=id:ne")), ["a", "c"]);
    assert_eq!(account.total("id=int_&ops=id:beginsWith"), 3);
}

#[test]
fn numbers_are_compared_by_value() {
    check(
        "tinyId",
        &[
            ("", "2", "b"),
            ("", "2.0", "b"),
            ("equals", "20e-1", "b"),
            ("ne", "2", "ac"),
            ("lt", "2", "a"),
            ("lte", "2", "ab"),
            ("gt", "2", "c"),
            ("gt", "-10", "abc"),
            ("gte", "2", "bc"),
            ("between", "2..10", "bc"),
            ("between", "10..2", ""),
            ("beginsWith", "3", "c"),
            ("contains", "1", "a"),
        ],
    );
}

#[test]
fn booleans_are_true_false_1_and_0() {
    check(
        "enabled",
        &[
            ("", "true", "ac"),
            ("", "1", "ac"),
            ("", "false", "b"),
            ("", "0", "b"),
            ("ne", "1", "b"),
            ("lt", "true", "b"),
            ("lte", "true", "abc"),
            ("gt", "false", "ac"),
            ("gte", "1", "ac"),
            ("between", "false..true", "abc"),
            ("beginsWith", "t", "ac"),
            ("contains", "als", "b"),
        ],
    );
}

#[test]
fn times_are_compared_as_instants() {
    for attribute in ["createdAt", "updatedAt"] {
        check(
            attribute,
            &[
                ("", "2018-04-27T00:00:01Z", "b"),
                ("", "2018-04-27T02:00:01.000+02:00", "b"),
                ("", "1524787201", "b"),
                ("ne", "1524787201.0", "ac"),
                ("lt", "1524787201", "a"),
                ("lt", "1524787201.0001", "ab"),
                ("lte", "2018-04-27T00:00:01Z", "ab"),
                ("gt", "2018-04-26T20:00:01-04:00", "c"),
                ("gte", "2018-04-27T00:00:01Z", "bc"),
                ("between", "1524787200..2018-04-27T00:00:01Z", "ab"),
                ("beginsWith", "2018-04-27", "abc"),
                ("contains", ":02.", "c"),
            ],
        );
    }
}

#[test]
fn arrays_match_if_an_element_is_equal() {
    check(
        "destination_ids",
        &[
            ("", "tem_a", "ac"),
            ("", "tem", ""),
            ("equals", "usr_b", "a"),
            ("contains", "tem_a", "ac"),
            ("contains", "tem", ""),
            ("ne", "usr_b", "bc"),
            ("lt", "tem_b", "ac"),
            ("lte", "tem_a", "ac"),
            ("gt", "tem_a", "a"),
            ("gte", "usr_b", "a"),
            ("between", "u..v", "a"),
            ("beginsWith", "usr", "a"),
        ],
    );
}

#[test]
fn dotted_names_reach_into_meta_and_options() {
    check(
        "meta.env",
        &[
            ("", "prod", "a"),
            ("ne", "prod", "bc"),
            ("lt", "e", "b"),
            ("beginsWith", "d", "b"),
            ("contains", "ro", "a"),
        ],
    );
    check(
        "meta.count",
        &[
            ("", "10", "b"),
            ("gt", "5", "b"),
            ("gte", "5", "ab"),
            ("lte", "5.0", "a"),
            ("between", "1..9", "a"),
            ("ne", "5", "bc"),
        ],
    );
    check("meta.on", &[("", "true", "a"), ("", "0", "b")]);
    check("meta.owner.team", &[("", "ops", "a"), ("ne", "ops", "bc")]);
    check("meta.tags", &[("", "x", "a"), ("contains", "7", "a")]);
    check("meta.none", &[("", "null", "b")]);
    check("options.n", &[("", "1", "ab"), ("lt", "1", "")]);
    check("meta.missing", &[("", "", ""), ("ne", "x", "abc")]);
}

#[test]
fn whole_objects_are_compared_as_json() {
    check(
        "options",
        &[
            ("", "{}", "c"),
            ("", r#"{"n":1}"#, "ab"),
            ("ne", "{}", "ab"),
            ("contains", r#"{"n":1}"#, "ab"),
            ("contains", "{}", "abc"),
        ],
    );
    check(
        "meta",
        &[
            ("", "{}", "c"),
            ("contains", r#"{"owner":{"team":"ops"}}"#, "a"),
        ],
    );
}

#[test]
fn several_filters_must_all_match() {
    let (_server, account) = three();
    assert_eq!(account.names("type=email&enabled=true"), ["a"]);
    assert_eq!(account.total("type=email&enabled=false"), 0);
    assert_eq!(
        account.names("enabled=true&tinyId=1&ops=tinyId:gt,enabled:equals"),
        ["c"]
    );
    assert_eq!(
        account.names("meta.env=p&destination_ids=tem_a&ops=meta.env:beginsWith"),
        ["a"]
    );
}

#[test]
fn names_and_values_are_percent_decoded() {
    let (_server, account) = three();
    account.created("ü & b=c+d");
    assert_eq!(
        account.names("n%61me=%C3%BC+%26%20b%3Dc%2Bd"),
        ["ü & b=c+d"]
    );
    assert_eq!(account.names("meta%2Eenv=prod"), ["a"]);
}

#[test]
fn filters_see_an_update_immediately() {
    let (_server, account) = three();
    let first = account.list("name=a").json()["data"][0].clone();
    account
        .update(id(&first), json!({"type": "webhook"}))
        .assert_status(200);
    assert_eq!(account.names("type=webhook"), ["a", "b"]);
    assert_eq!(account.total("type=email"), 0);
}

#[test]
fn filters_are_limited_to_the_account() {
    let (server, _) = three();
    let other = server.account("another");
    for query in [
        "name=a",
        "sid=acc_&ops=sid:beginsWith",
        "tinyId=0&ops=tinyId:gt",
        "name=x&ops=name:ne",
    ] {
        assert_eq!(other.total(query), 0, "{query}");
    }
}
