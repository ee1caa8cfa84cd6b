//! `select`: just these attributes, in lists and on a single object.

use crate::{callers::id, server::TestServer};
use serde_json::json;

#[test]
fn list_returns_only_selected_attributes() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let list = account.list("select=sid,id").assert_status(200);
    let expected = json!({
        "data": [{"sid": created["sid"], "id": created["id"]}], "has_more": false, "total_count": 1,
    });
    assert_eq!(list.json(), expected);
}

#[test]
fn object_returns_only_selected_attributes() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let answer = account
        .get(&format!("{}?select=name,type", id(&created)))
        .assert_status(200);
    assert_eq!(answer.text, r#"{"name":"x","type":"email"}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn selected_attributes_keep_the_order_of_the_object() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let path = format!("{}?select=urgency,%20name,tinyId,name", id(&created));

    assert_eq!(
        account.get(&path).text,
        r#"{"tinyId":1,"name":"x","urgency":"medium"}"#
    );
    assert_eq!(
        account.list("select=urgency,name,tinyId").json()["data"][0].to_string(),
        account.get(&path).text
    );
}

#[test]
fn selected_values_keep_their_bytes() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = r#"{"name":"x","type":"email","destination_ids":[],"meta":{"z":1.50,"a":12345678901234567890123}}"#;
    let created = account
        .send("POST", "/integration", Some(body))
        .assert_status(200)
        .json();
    let answer = account.get(&format!("{}?select=meta", id(&created)));
    assert_eq!(
        answer.text,
        r#"{"meta":{"z":1.50,"a":12345678901234567890123}}"#
    );
}

#[test]
fn select_does_not_affect_filters_or_sort() {
    let server = TestServer::start();
    let account = server.account("ops");
    for name in ["b", "a", "c"] {
        account.created(name);
    }
    let list = account
        .list("select=tinyId&sort=name&name=c&ops=name:ne")
        .json();
    assert_eq!(list["data"], json!([{"tinyId": 2}, {"tinyId": 1}]));
}

#[test]
fn select_of_an_unknown_attribute_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");

    for (query, expected) in [
        (
            "select=colour",
            "'colour' in 'select' is not an attribute; there are sid, id",
        ),
        ("select=", "'select' must name at least one attribute"),
        (
            "select=meta.env",
            "'meta.env' in 'select' is not an attribute",
        ),
        ("select=id&select=sid", "'select' must be given only once"),
    ] {
        account
            .get(&format!("{}?{query}", id(&created)))
            .assert_error(400, &[expected]);
    }
}

#[test]
fn select_from_an_unknown_object_answers_404() {
    let server = TestServer::start();
    server
        .account("ops")
        .get("int_doesnotexist1?select=id")
        .assert_error(404, &["Integration not found"]);
}
