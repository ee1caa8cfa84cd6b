//! What is wrong with the query of a list: a 400 that names attribute and value, for all faults at
//! once.

use crate::{callers::encoded, server::TestServer};

/// Each query has one fault, which is told by these words.
fn check(table: &[(&str, &str)]) {
    let server = TestServer::start();
    let account = server.account("ops");
    for (query, expected) in table {
        account.list(query).assert_error(400, &[expected]);
    }
}

#[test]
fn filter_value_of_the_wrong_kind_is_refused() {
    check(&[
        ("tinyId=ten", "'tinyId' must be a number, but was 'ten'"),
        ("tinyId=", "'tinyId' must be a number, but was ''"),
        (
            "enabled=yes",
            "'enabled' must be true, false, 1 or 0, but was 'yes'",
        ),
        (
            "enabled=TRUE",
            "'enabled' must be true, false, 1 or 0, but was 'TRUE'",
        ),
        (
            "createdAt=yesterday",
            "'createdAt' must be an RFC 3339 time",
        ),
        (
            "updatedAt=2018-04-27",
            "'updatedAt' must be an RFC 3339 time",
        ),
        ("createdAt=1524787200000", "but was '1524787200000'"),
        ("meta=prod", "'meta' must be a JSON object"),
        ("options=[]", "'options' must be a JSON object"),
        (
            "tinyId=1&ops=tinyId:between",
            "'tinyId' must be two values written a..b",
        ),
        (
            "tinyId=1..x&ops=tinyId:between",
            "'tinyId' must be two values written a..b, each a number, but was '1..x'",
        ),
        (
            "name=a..&ops=name:between",
            "'name' must be two values written a..b",
        ),
        (
            "tinyId=x&ops=tinyId:ne",
            "'tinyId' must be a number, but was 'x'",
        ),
    ]);
}

#[test]
fn unknown_attribute_is_refused_with_the_known_ones() {
    check(&[
        (
            "colour=red",
            "'colour' is not an attribute; there are sid, id, createdAt, updatedAt, meta, tinyId, name",
        ),
        ("Name=x", "'Name' is not an attribute"),
        ("destination_id=x", "'destination_id' is not an attribute"),
        ("Limit=1", "'Limit' is not an attribute"),
        ("=x", "'' is not an attribute"),
        (
            "name.first=x",
            "'name.first' reaches below 'name', which is not an object",
        ),
        ("meta.=x", "'meta.' must have a name after the dot"),
    ]);
}

#[test]
fn unknown_operator_is_refused_with_the_known_ones() {
    let known = "equals, ne, lt, lte, gt, gte, beginsWith, contains, between";
    check(&[
        (
            "name=a&ops=name:like",
            &format!("the operator of 'name' in 'ops' must be one of {known}, but was 'like'"),
        ),
        ("name=a&ops=name:LT", "but was 'LT'"),
        ("name=a&ops=name:", "but was ''"),
        ("name=a&ops=name", "'ops' must be pairs like name:contains"),
        ("ops=", "'ops' must be pairs like name:contains"),
        (
            "meta=%7B%7D&ops=meta:lt",
            "'meta' is an object; 'ops' may say equals, ne or contains, not lt",
        ),
    ]);
}

#[test]
fn operator_of_an_unfilterable_attribute_is_refused() {
    check(&[
        (
            "ops=name:ne",
            "'name' in 'ops' must be given as a filter too",
        ),
        (
            "name=a&ops=name:ne,type:ne",
            "'type' in 'ops' must be given as a filter too",
        ),
        (
            "limit=5&ops=limit:lt",
            "'limit' in 'ops' must be given as a filter too",
        ),
        (
            "name=a&ops=name:lt,name:gt",
            "'name' must have only one operator in 'ops'",
        ),
    ]);
}

#[test]
fn repeated_parameter_is_refused() {
    for name in [
        "name",
        "limit",
        "offset",
        "page",
        "sort",
        "sortdirection",
        "select",
        "ops",
        "meta.env",
    ] {
        let value = match name {
            "limit" | "offset" | "page" => "1",
            "sortdirection" => "ASC",
            "ops" => "type:ne",
            _ => "name",
        };
        let filter = if name == "ops" { "type=x&" } else { "" };
        check(&[(
            &format!("{filter}{name}={value}&{name}={value}"),
            &format!("'{name}' must be given only once"),
        )]);
    }

    check(&[("name=a&n%61me=a", "'name' must be given only once")]);
}

#[test]
fn sort_and_select_by_unknown_attributes_are_refused() {
    check(&[
        ("sort=colour", "'colour' in 'sort' is not an attribute"),
        ("sort=", "'sort' must name at least one attribute"),
        ("sort=-", "'' in 'sort' is not an attribute"),
        ("sort=name,-name", "'name' must stand only once in 'sort'"),
        ("sort=name.x", "'name.x' in 'sort' reaches below 'name'"),
        (
            "sortdirection=down",
            "'sortdirection' must be ASC or DESC, but was 'down'",
        ),
        ("select=colour", "'colour' in 'select' is not an attribute"),
        ("select=", "'select' must name at least one attribute"),
        ("select=id,,sid", "'' in 'select' is not an attribute"),
    ]);
}

#[test]
fn all_errors_of_a_query_are_reported() {
    let server = TestServer::start();
    let query = "name=a&name=b&limit=0&offset=-1&page=0&sort=x&sortdirection=up&select=y&ops=name:like\
                 &colour=red&enabled=maybe&tinyId=ten";

    server.account("ops").list(query).assert_error(
        400,
        &[
            "'name' must be given only once",
            "'limit' must be a whole number from 1 to 100, but was '0'",
            "'offset' must be a whole number from 0 to 9007199254740991, but was '-1'",
            "'page' must be a whole number from 1 to 9007199254740991, but was '0'",
            "'x' in 'sort'",
            "'sortdirection' must be ASC or DESC",
            "'y' in 'select'",
            "the operator of 'name' in 'ops'",
            "'tinyId' must be a number",
            "'enabled' must be true, false",
            "'colour' is not an attribute",
        ],
    );
}

#[test]
fn long_value_is_truncated_in_the_message() {
    let server = TestServer::start();
    let answer = server
        .account("ops")
        .list(&format!("tinyId={}", encoded(&"ü".repeat(1_000))));
    let message = answer
        .assert_error(400, &["'tinyId' must be a number"])
        .messages()
        .remove(0);
    assert!(message.chars().count() < 200, "{message}");
}

/// Each is looked up in every object; a query had room for hundreds, and three such queries cost
/// everybody seconds.
#[test]
fn too_many_filters_or_sort_keys_are_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    account.created("n");

    let query = |filters: usize, sorts: usize| {
        let filters = (0..filters)
            .map(|number| format!("meta.f{number}=x"))
            .collect::<Vec<_>>()
            .join("&");
        let sorts = (0..sorts)
            .map(|number| format!("meta.s{number}"))
            .collect::<Vec<_>>()
            .join(",");
        format!("{filters}&sort={sorts}")
    };

    account.list(&query(12, 4)).assert_status(200);
    let expected =
        "A list may be filtered and sorted by 16 attributes in all, but this one names 17";

    account.list(&query(12, 5)).assert_error(400, &[expected]);
    account
        .list(&query(400, 1))
        .assert_error(400, &["but this one names 401"]);
}
