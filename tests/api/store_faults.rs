//! A store that holds what this program never wrote: 500. A full disk and its 503 are in
//! `tests/program`.

use crate::{callers::id, server::TestServer};
use serde_json::json;
use std::path::PathBuf;

/// Cuts off the record of an integration behind its owner.
fn damage(store: PathBuf, id: &str, sid: &str) {
    let db = sled::Config::new()
        .path(store)
        .segment_size(8 << 20)
        .open()
        .unwrap();
    let records = db.open_tree("integrations").unwrap();
    let planted = format!(r#"{{"sid":"{sid}","id":"#);

    records
        .insert(id, planted.as_bytes())
        .unwrap()
        .expect("the record is there");
    db.flush().unwrap();
}

#[test]
fn internal_error_answers_500_with_request_id_and_no_cause() {
    let server = TestServer::on_disk();
    let account = server.account("ops");
    let (broken, whole) = (account.created("broken"), account.created("whole"));
    let server =
        server.restart_after(|store| damage(store, id(&broken), broken["sid"].as_str().unwrap()));
    let account = server.account("ops").with("X-Request-Id", "tell-me");

    for answer in [
        account.update(id(&broken), json!({"name": "x"})),
        account.delete(id(&broken)),
        account.get(&format!("{}?select=name", id(&broken))),
        account.list("name=x"),
        account.list("sort=name"),
    ] {
        let fixed = [
            "Internal server error. The request was not at fault.",
            "The request id is tell-me",
        ];
        let answer = answer.assert_error(500, &fixed);
        assert_eq!(answer.header("request-id"), Some("tell-me"));
        assert!(
            !answer.text.contains("damaged") && !answer.text.contains("EOF"),
            "{}",
            answer.text
        );
    }

    assert_eq!(
        account.get(id(&whole)).assert_status(200).json(),
        whole,
        "one damaged record does not hurt another"
    );
}
