//! `sort` and `sortdirection`.

use crate::{callers::Caller, server::TestServer};
use serde_json::json;

const START: i64 = 1_524_787_200_000;

/// Four integrations, created one second apart in this order: d, b, c, a.
fn four() -> (TestServer, Caller) {
    let server = TestServer::at(START);
    let account = server.account("ops");
    for (position, (name, kind, enabled, level)) in [
        ("d", "email", true, json!(10)),
        ("b", "webhook", false, json!(9)),
        ("c", "email", false, json!("x")),
        ("a", "webhook", true, json!(null)),
    ]
    .into_iter()
    .enumerate()
    {
        server.clock.set(START + position as i64 * 1_000);
        account.created_from(json!({
            "name": name, "type": kind, "enabled": enabled, "destination_ids": [], "meta": {"level": level},
        }));
    }

    (server, account)
}

fn check(table: &[(&str, &str)]) {
    let (_server, account) = four();
    for (query, expected) in table {
        assert_eq!(account.names(query).concat(), *expected, "{query}");
    }
}

#[test]
fn one_attribute_sorts_ascending_and_with_minus_descending() {
    check(&[
        ("sort=name", "abcd"),
        ("sort=-name", "dcba"),
        ("sort=createdAt", "dbca"),
        ("sort=-createdAt", "acbd"),
        ("sort=tinyId", "dbca"),
        ("sort=-tinyId", "acbd"),
        ("sort=%2Bname", "abcd"),
    ]);
}

#[test]
fn later_sort_keys_break_ties() {
    check(&[
        ("sort=type,name", "cdab"),
        ("sort=type,-name", "dcba"),
        ("sort=-type,name", "abcd"),
        ("sort=enabled,type,name", "cbda"),
        ("sort=-enabled,-createdAt", "adcb"),
    ]);
}

#[test]
fn sortdirection_reverses_the_order() {
    check(&[
        ("sort=name&sortdirection=DESC", "dcba"),
        ("sort=name&sortdirection=ASC", "abcd"),
        ("sort=name&sortdirection=desc", "dcba"),
        ("sortdirection=DESC", "acbd"),
    ]);
}

#[test]
fn ties_are_ordered_by_tiny_id() {
    check(&[
        ("sort=type", "dcba"),
        ("sort=-type", "badc"),
        ("sort=enabled", "bcda"),
        ("sort=sid", "dbca"),
        ("sort=-sid", "dbca"),
    ]);
}

#[test]
fn meta_values_sort_by_kind_then_value() {
    // Null and missing first, then numbers by value, then text; descending is the exact reverse.
    check(&[
        ("sort=meta.level", "abdc"),
        ("sort=-meta.level", "cdba"),
        ("sort=meta.none", "dbca"),
    ]);
}

#[test]
fn every_attribute_can_be_sorted_by() {
    let (_server, account) = four();
    for attribute in [
        "sid",
        "id",
        "createdAt",
        "updatedAt",
        "meta",
        "tinyId",
        "name",
        "type",
        "enabled",
        "urgency",
        "destination_ids",
        "options",
    ] {
        for sign in ["", "-"] {
            assert_eq!(
                account.names(&format!("sort={sign}{attribute}")).len(),
                4,
                "{sign}{attribute}"
            );
        }
    }
}

#[test]
fn sort_filter_and_page_work_together() {
    check(&[
        ("sort=-name&limit=2", "dc"),
        ("sort=-name&limit=2&offset=1", "cb"),
        ("sort=name&type=email", "cd"),
        ("sort=name&type=webhook&page=2&limit=1", "b"),
        ("sort=-tinyId&limit=1&offset=1", "c"),
    ]);
}
