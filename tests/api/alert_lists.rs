//! What lists of alerts can be asked that lists of integrations cannot: what is null. With indexes, with room for hardly any, and
//! without, the answer is the same.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

const MEMORIES: [u64; 3] = [64 << 20, 20_000, 0];

/// Asks the same of servers that remember different amounts; each with what `fill` puts into it.
fn check(fill: impl Fn(&Caller), table: &[(&str, &str)]) {
    for memory in MEMORIES {
        let server = TestServer::with(|settings| settings.store.index_bytes = memory);
        let account = server.account("ops");
        fill(&account);
        for (query, expected) in table {
            // Twice: an index is built, and used.
            for _ in 0..2 {
                assert_eq!(titles(&account, query), *expected, "{query} with {memory} bytes");
            }
        }
    }
}

/// The titles of what is found, put together.
fn titles(account: &Caller, query: &str) -> String {
    let list = account.send("GET", &format!("/alert?{query}"), None).assert_status(200).json();
    let found: String = list["data"].as_array().unwrap().iter().map(|alert| alert["title"].as_str().unwrap()).collect();
    assert_eq!(list["total_count"], found.len(), "{query}");
    found
}

fn create(account: &Caller, title: &str, more: Value) -> Value {
    let mut body = json!({"title": title, "destination_ids": []});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    account.send("POST", "/alert", Some(&body.to_string())).assert_status(200).json()
}

#[test]
fn null_can_be_asked_for() {
    let fill = |account: &Caller| {
        create(account, "a", json!({}));
        let taken = create(account, "b", json!({"thirdparty_id": "null", "description": "d"}));
        let over = create(account, "c", json!({"description": "null"}));
        for (alert, step) in [(&taken, "acknowledge"), (&over, "resolve")] {
            account.send("POST", &format!("/alert/{}/{step}", id(alert)), None).assert_status(200);
        }
    };
    check(
        fill,
        &[
            ("acknowledged=null", "ac"),
            ("acknowledged=null&ops=acknowledged:ne", "b"),
            ("resolved=null&resolvedby=null", "ab"),
            ("acknowledgedby=null&ops=acknowledgedby:ne", "b"),
            ("description=null", "a"),
            ("description=null&ops=description:ne", "bc"),
            ("description=null&ops=description:beginsWith", "c"),
            ("thirdparty_id=null", "ac"),
            ("s_log_id=null", "abc"),
            ("source_id=null", ""),
            ("archived=null&ops=archived:ne", ""),
        ],
    );
}

#[test]
fn null_can_be_asked_of_logs_and_only_where_it_may_be() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration = account.created_from(json!({"name": "n", "type": "webhook", "destination_ids": []}));
    let event = json!({"event_type": "create", "id": "x", "title": "t"}).to_string();
    account.send("POST", &format!("/integration/{}", id(&integration)), Some(&event)).assert_status(200);
    let total = |query: &str| account.send("GET", &format!("/log?{query}"), None).json()["total_count"].clone();
    assert_eq!(total("response=null"), 1);
    assert_eq!(total("response=null&ops=response:ne"), 0);
    assert_eq!(total("alert_id=null"), 0);
    let answer = account.send("GET", "/alert?tinyId=null&resolved=none&title=null", None);
    answer.assert_error(
        400,
        &["'tinyId' must be a number, but was 'null'", "'resolved' must be a number, or null, but was 'none'"],
    );
}
