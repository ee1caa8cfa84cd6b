//! `DELETE /integration/:id`.

use crate::{callers::id, server::TestServer};
use serde_json::json;

#[test]
fn delete_answers_204_with_no_body() {
    let server = TestServer::start();
    let account = server.account("ops");
    let answer = account.delete(id(&account.created("x"))).assert_status(204);
    assert_eq!(answer.text, "");
    assert_eq!(answer.header("content-type"), None);
    assert_eq!(
        answer.header("content-length"),
        None,
        "RFC 9110: a 204 has none"
    );
}

#[test]
fn deleted_integration_answers_404() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");

    account.delete(id(&created)).assert_status(204);
    account
        .get(id(&created))
        .assert_error(404, &["Integration not found"]);
    account
        .update(id(&created), json!({}))
        .assert_error(404, &["Integration not found"]);
    account
        .delete(id(&created))
        .assert_error(404, &["Integration not found"]);
}

#[test]
fn delete_of_an_unknown_id_answers_404() {
    let server = TestServer::start();
    server
        .account("ops")
        .delete("int_doesnotexist1")
        .assert_error(404, &["Integration not found"]);
}

#[test]
fn deleted_integration_is_gone_from_list_and_total() {
    let server = TestServer::start();
    let account = server.account("ops");
    let [_, second, _] = ["a", "b", "c"].map(|name| account.created(name));
    account.delete(id(&second)).assert_status(204);
    assert_eq!(account.names(""), ["a", "c"]);
    assert_eq!(account.total(""), 2);
    assert_eq!(account.total("name=b"), 0);
}

#[test]
fn body_of_a_delete_is_ignored() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.created("x");
    let mut connection = crate::connection::Connection::open(&server);
    let head = format!(
        "DELETE /integration/{} HTTP/1.1\nAuthorization: ops\nContent-Length: 3",
        id(&created)
    );
    assert_eq!(connection.request(&head, "{,}").receive_head().status, 204);
    account.get(id(&created)).assert_status(404);
}
