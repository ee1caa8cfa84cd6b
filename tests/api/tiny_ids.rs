//! `tinyId`: 1, 2, 3 … per account, never twice, no gaps that a failed request left.

use crate::{callers::id, server::TestServer};
use serde_json::{Value, json};

#[test]
fn tiny_ids_count_from_one_in_order_of_creation() {
    let server = TestServer::start();
    let account = server.account("ops");
    let tiny_ids: Vec<_> = (0..5)
        .map(|_| account.created("x")["tinyId"].clone())
        .collect();
    assert_eq!(tiny_ids, [1, 2, 3, 4, 5].map(Value::from));
}

#[test]
fn each_account_has_its_own_tiny_ids() {
    let server = TestServer::start();
    server.account("a").created("x");
    server.account("a").created("x");
    assert_eq!(server.account("b").created("x")["tinyId"], 1);
    assert_eq!(server.account("a").created("x")["tinyId"], 3);
}

#[test]
fn tiny_id_is_not_reused_after_a_delete() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = [account.created("a"), account.created("b")];
    for integration in &created {
        account.delete(id(integration)).assert_status(204);
    }
    assert_eq!(account.created("c")["tinyId"], 3);
}

#[test]
fn tiny_id_is_not_reused_after_a_restart() {
    let server = TestServer::on_disk();
    let account = server.account("ops");
    account.created("a");
    account.delete(id(&account.created("b"))).assert_status(204);
    let server = server.restart();
    let account = server.account("ops");
    assert_eq!(account.created("c")["tinyId"], 3);
    assert_eq!(account.listed("", "tinyId"), [json!(1), json!(3)]);
}

#[test]
fn failed_creates_leave_no_gap() {
    let server = TestServer::start();
    let account = server.account("ops");
    account.created("a");
    account.create(json!({"name": "x"})).assert_status(400);
    account
        .create(json!({"name": "x", "type": "!", "destination_ids": []}))
        .assert_status(400);
    account
        .send("POST", "/integration", Some("{"))
        .assert_status(400);
    account
        .with("Content-Type", "text/plain")
        .send("POST", "/integration", Some("{}"))
        .assert_status(415);
    assert_eq!(account.created("b")["tinyId"], 2);
}

#[test]
fn update_keeps_the_tiny_id() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    assert_eq!(
        account
            .update(id(&created), json!({"name": "y", "tinyId": 9}))
            .json()["tinyId"],
        1
    );
}
