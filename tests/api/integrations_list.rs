//! `GET /integration`: the envelope, what is in it, and in which order.

use crate::server::TestServer;
use serde_json::json;

#[test]
fn empty_account_has_an_empty_list() {
    let server = TestServer::start();
    let answer = server.account("ops").list("").assert_status(200);
    assert_eq!(
        answer.text,
        r#"{"data":[],"has_more":false,"total_count":0}"#
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn list_items_are_whole_integrations() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = [account.created("a"), account.created("b")];
    let expected = json!({"data": created, "has_more": false, "total_count": 2});
    assert_eq!(
        account
            .send("GET", "/integration", None)
            .assert_status(200)
            .json(),
        expected
    );
}

#[test]
fn default_order_is_creation_order() {
    let server = TestServer::start();
    let account = server.account("ops");
    for name in ["c", "a", "b"] {
        account.created(name);
    }
    assert_eq!(account.names(""), ["c", "a", "b"]);
}

#[test]
fn default_page_has_ten_items() {
    let server = TestServer::start();
    let account = server.account("ops");
    for number in 1..=11 {
        account.created(&number.to_string());
    }
    let list = account.list("").json();
    assert_eq!(list["data"].as_array().unwrap().len(), 10);
    assert_eq!(
        (&list["has_more"], &list["total_count"]),
        (&json!(true), &json!(11))
    );
}

#[test]
fn write_is_listed_immediately() {
    let server = TestServer::start();
    let account = server.account("ops");
    for count in 1..=30 {
        account.created("x");
        assert_eq!(account.total(""), count);
        assert_eq!(
            account.listed(&format!("limit=1&offset={}", count - 1), "tinyId"),
            [json!(count)]
        );
    }
}
