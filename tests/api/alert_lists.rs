//! What lists of alerts can be asked that lists of integrations cannot: what is null, and what
//! stands in one of several objects. With indexes, with room for hardly any, and without, the
//! answer is the same.

use crate::{
    callers::{Caller, encoded, id},
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
                assert_eq!(
                    titles(&account, query),
                    *expected,
                    "{query} with {memory} bytes"
                );
            }
        }
    }
}

/// The titles of what is found, put together.
fn titles(account: &Caller, query: &str) -> String {
    let list = account
        .send("GET", &format!("/alert?{query}"), None)
        .assert_status(200)
        .json();
    let found: String = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["title"].as_str().unwrap())
        .collect();
    assert_eq!(list["total_count"], found.len(), "{query}");

    found
}

fn create(account: &Caller, title: &str, more: Value) -> Value {
    let mut body = json!({"title": title, "destination_ids": []});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    account
        .send("POST", "/alert", Some(&body.to_string()))
        .assert_status(200)
        .json()
}

#[test]
fn null_is_matched_by_filters() {
    let fill = |account: &Caller| {
        create(account, "a", json!({}));
        let taken = create(
            account,
            "b",
            json!({"thirdparty_id": "null", "description": "d"}),
        );
        let over = create(account, "c", json!({"description": "null"}));

        for (alert, step) in [(&taken, "acknowledge"), (&over, "resolve")] {
            account
                .send("POST", &format!("/alert/{}/{step}", id(alert)), None)
                .assert_status(200);
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
fn null_is_matched_only_for_nullable_attributes_of_logs() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration =
        account.created_from(json!({"name": "n", "type": "webhook", "destination_ids": []}));
    let event = json!({"event_type": "create", "id": "x", "title": "t"}).to_string();

    account
        .send(
            "POST",
            &format!("/integration/{}", id(&integration)),
            Some(&event),
        )
        .assert_status(200);

    let total = |query: &str| {
        account.send("GET", &format!("/log?{query}"), None).json()["total_count"].clone()
    };

    assert_eq!(total("response=null"), 1);
    assert_eq!(total("response=null&ops=response:ne"), 0);
    assert_eq!(total("alert_id=null"), 0);

    let answer = account.send("GET", "/alert?tinyId=null&resolved=none&title=null", None);
    answer.assert_error(
        400,
        &[
            "'tinyId' must be a number, but was 'null'",
            "'resolved' must be a number, or null, but was 'none'",
        ],
    );
}

#[test]
fn additional_data_matches_if_one_entry_does() {
    let datum = |label: &str, value: Value| json!({"type": "text", "label": label, "value": value});
    let fill = |account: &Caller| {
        create(
            account,
            "a",
            json!({"additional_data": [datum("Host", json!("db-3")), datum("Zone", json!("x"))]}),
        );
        create(
            account,
            "b",
            json!({"additional_data": [datum("Host", json!("db-4")), datum("To", json!(["x", "y"]))]}),
        );
        create(account, "c", json!({}));
    };

    let contains = |object: Value, operator: &str| {
        format!(
            "additional_data={}&ops=additional_data:{operator}",
            encoded(&object.to_string())
        )
    };

    let (host, zone) = (
        json!({"label": "Host"}),
        json!({"label": "Zone", "value": "db-3"}),
    );
    let whole = datum("Host", json!("db-3"));

    check(
        fill,
        &[
            ("additional_data.value=db-3", "a"),
            ("additional_data.label=Host", "ab"),
            ("additional_data.label=Host&additional_data.value=x", "ab"),
            ("additional_data.value=y", "b"),
            (
                "additional_data.value=db-&ops=additional_data.value:beginsWith",
                "ab",
            ),
            (
                "additional_data.value=db-3&ops=additional_data.value:ne",
                "bc",
            ),
            ("additional_data.none=null", ""),
            (&contains(host.clone(), "contains"), "ab"),
            (&contains(host, "equals"), ""),
            (&contains(zone, "contains"), ""),
            (&contains(whole.clone(), "equals"), "a"),
            (&contains(whole, "ne"), "bc"),
        ],
    );
}

#[test]
fn unsupported_filter_of_additional_data_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (query, fault) in [
        (
            "additional_data=db-3",
            r#"'additional_data' must be a JSON object like {"label":"Host"}, but was 'db-3'"#,
        ),
        (
            "additional_data=x&ops=additional_data:gt",
            "'additional_data' is an array of objects; 'ops' may say",
        ),
        (
            "sort=additional_data.value",
            "'additional_data.value' in 'sort' is in several objects",
        ),
        (
            "additional_data.=x",
            "'additional_data.' must have a name after the dot",
        ),
        (
            "tags.x=1",
            "reaches below 'tags', which is not an object; a dot may follow meta, additional_data",
        ),
    ] {
        account
            .send("GET", &format!("/alert?{query}"), None)
            .assert_error(400, &[fault]);
    }
}
