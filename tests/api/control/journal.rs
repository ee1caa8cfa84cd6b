//! `GET /_local/requests`: the journal.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

fn entries(account: &Caller, query: &str) -> Vec<Value> {
    let path = format!("/_local/requests?{query}");
    let list = account.send("GET", &path, None).assert_status(200).json();
    list["data"].as_array().unwrap().clone()
}

/// The method and path of each entry.
fn lines(account: &Caller, query: &str) -> Vec<String> {
    let line = |entry: &Value| {
        let (method, path) = (entry["method"].as_str(), entry["path"].as_str());
        format!("{} {}", method.unwrap(), path.unwrap())
    };
    entries(account, query).iter().map(line).collect()
}

#[test]
fn journal_begins_when_it_is_first_asked_for() {
    let server = TestServer::start();
    let account = server.account("ops");
    account.created("before");
    assert_eq!(lines(&account, ""), [""; 0]);
    account.created("after");
    assert_eq!(lines(&account, ""), ["POST /integration"]);
}

#[test]
fn journal_records_from_the_start_if_set() {
    let server = TestServer::with(|settings| settings.test.journal = true);
    let account = server.account("ops");
    account.created("first");
    assert_eq!(lines(&account, ""), ["POST /integration"]);
}

#[test]
fn entry_shows_the_request_and_its_response() {
    let server = TestServer::at(1_600_000_000_000);
    let account = server.account("ops").with("X-Request-Id", "mine");
    entries(&account, "");
    let object = account.created("disk");
    account.list("limit=5&type=email&x=1&x=2");

    let found = entries(&account, "");
    let created = &found[0];
    assert_eq!(created["id"], "mine");
    assert_eq!(created["at"], "2020-09-13T12:26:40.000Z");
    assert_eq!(created["sid"], object["sid"]);
    assert_eq!(created["kind"], "api");
    assert_eq!(created["type"], "email");
    assert_eq!(created["headers"]["content-type"], "application/json");
    assert_eq!(created["body"]["json"]["name"], "disk");
    assert_eq!(created["status"], 200);
    assert_eq!(created["response"]["body"]["json"], object);
    assert_eq!(created["response"]["headers"]["request-id"], "mine");
    assert!(created["duration_us"].is_u64(), "{created}");
    assert_eq!(created["fault"], Value::Null);

    let listed = &found[1];
    assert_eq!(
        listed["query"],
        json!({"limit": "5", "type": "email", "x": ["1", "2"]})
    );
    assert_eq!(listed["body"], Value::Null);
    assert_eq!(listed["status"], 400);
}

#[test]
fn entries_are_filtered_sorted_paged_and_selected_like_all_lists() {
    let server = TestServer::start();
    let account = server.account("ops");
    entries(&account, "");
    let disk = account.created("disk");
    account.created("cpu");
    account.get(id(&disk));
    account.get("int_unknown");

    for (query, expected) in [
        ("method=POST", 2),
        ("path=/integration", 2),
        ("status=404", 1),
        ("status=300&ops=status:gte", 1),
        ("body.name=disk", 1),
        ("body.name=i&ops=body.name:contains", 1),
        ("response.status=1", 0),
        ("response.body.name=cpu", 1),
        ("headers.host=x&ops=headers.host:ne", 4),
        ("type=email&kind=api", 3),
    ] {
        assert_eq!(entries(&account, query).len(), expected, "{query}");
    }

    let names = |query: &str| -> Vec<Value> {
        let found = entries(&account, query);
        found
            .iter()
            .map(|entry| entry["body"]["json"]["name"].clone())
            .collect()
    };
    assert_eq!(names("method=POST&sort=body.name"), ["cpu", "disk"]);
    assert_eq!(names("method=POST&sortdirection=DESC"), ["cpu", "disk"]);

    let page = account.send("GET", "/_local/requests?limit=1&offset=1&select=path", None);
    assert!(page.header("link").unwrap().contains("rel=\"next\""));
    assert_eq!(
        page.json(),
        json!({"data": [{"path": "/integration"}], "has_more": true, "total_count": 4})
    );
}

#[test]
fn unknown_filter_of_the_journal_is_refused() {
    let server = TestServer::start();
    server
        .account("ops")
        .send("GET", "/_local/requests?metod=GET", None)
        .assert_error(400, &["'metod' is not an attribute"]);
}

#[test]
fn deleted_entries_are_gone_and_recording_continues() {
    let server = TestServer::start();
    let account = server.account("ops");
    entries(&account, "");
    account.created("one");
    account
        .send("DELETE", "/_local/requests", None)
        .assert_status(204);
    assert_eq!(lines(&account, ""), [""; 0]);
    account.created("two");
    assert_eq!(entries(&account, "body.name=two").len(), 1);
}

#[test]
fn reset_empties_the_journal() {
    let server = TestServer::start();
    let account = server.account("ops");
    entries(&account, "");
    account.created("one");
    account
        .send("POST", "/_local/reset", None)
        .assert_status(204);
    assert_eq!(lines(&account, ""), [""; 0]);
    account.list("");
    assert_eq!(lines(&account, ""), ["GET /integration"]);
}

#[test]
fn secrets_are_masked_in_the_journal() {
    let server = TestServer::start();
    let account = server.account("a-secret-credential");
    entries(&account, "");
    let hook = account.created_from(json!({
        "name": "hook", "type": "webhook", "destination_ids": [],
        "options": {"token": "sesame-open"},
    }));
    account.send("GET", "/integration?token=sesame-open", None);
    server.anonymous().send(
        "POST",
        &format!("/integration/{}", id(&hook)),
        Some(r#"{"text":"they said sesame-open aloud"}"#),
    );

    let found = Value::from(entries(&account, "")).to_string();
    assert!(!found.contains("sesame-open"), "{found}");
    assert!(!found.contains("a-secret-credential"), "{found}");
    assert!(found.contains("they said *** aloud"), "{found}");
}

#[test]
fn events_are_recorded_in_the_account_of_their_integration() {
    let server = TestServer::start();
    let account = server.account("ops");
    let source = account.created_from(json!({
        "name": "source", "type": "webhook", "destination_ids": []
    }));
    entries(&account, "");
    let path = format!("/integration/{}", id(&source));
    let sender = server.anonymous();
    sender.send("POST", &path, Some(r#"{"event_type":"create","id":"1"}"#));
    sender.send("GET", &format!("{path}/g?event_type=create&id=2"), None);

    let events = entries(&account, "kind=event&type=webhook");
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["body"]["json"]["id"], "1");
    assert_eq!(events[1]["query"]["id"], "2");
}

#[test]
fn login_is_recorded_in_the_account_of_its_user() {
    let server = TestServer::start();
    let login = |name: &str| {
        let body = json!({"username": name, "password": "pw"}).to_string();
        server
            .anonymous()
            .send("POST", "/public/login", Some(&body))
            .assert_status(200)
            .json()["token"]
            .clone()
    };
    let token = login("alice");
    let alice = server.account(token.as_str().unwrap());
    entries(&alice, "");
    login("alice");
    login("bob");

    let found = entries(&alice, "");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["body"]["json"]["password"], "***");
    assert_eq!(found[0]["response"]["body"]["json"]["token"], "***");
}

#[test]
fn refused_credential_is_recorded_under_the_account_that_it_names() {
    let server = TestServer::with_people();
    let account = server.key();
    entries(&account, "");
    server
        .pair("key_writer", "wrong")
        .list("")
        .assert_status(401);
    let found = entries(&account, "");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["status"], 401);
}

#[test]
fn credential_that_names_no_account_is_seen_by_the_owner_only() {
    let server = TestServer::with(|settings| settings.test.token = "owner-of-the-server".into());
    let owner = server.account("owner-of-the-server");
    let account = server.account("ops");
    entries(&owner, "");
    server.anonymous().list("").assert_status(401);
    account.list("");

    let found = entries(&owner, "");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["sid"], Value::Null);
    assert_eq!(entries(&owner, "sid=null").len(), 1);
    assert_eq!(entries(&account, "").len(), 1);
    assert_eq!(entries(&account, "all=true").len(), 2);
}

#[test]
fn journal_of_an_account_is_bounded() {
    let server = TestServer::with(|settings| settings.test.journal_entries = 3);
    let (busy, quiet) = (server.account("busy"), server.account("quiet"));
    entries(&busy, "");
    entries(&quiet, "");
    quiet.list("");
    for number in 0..5 {
        busy.list(&format!("limit={}", number + 1));
    }
    let limits: Vec<Value> = entries(&busy, "")
        .iter()
        .map(|entry| entry["query"]["limit"].clone())
        .collect();
    assert_eq!(limits, ["3", "4", "5"]);
    assert_eq!(entries(&quiet, "").len(), 1);
}

#[test]
fn calls_of_the_control_plane_and_of_operators_are_not_recorded() {
    let server = TestServer::start();
    let account = server.account("ops");
    entries(&account, "");
    for path in ["/", "/livez", "/metrics", "/_local/requests"] {
        account.send("GET", path, None);
    }
    assert_eq!(lines(&account, ""), [""; 0]);
}

#[test]
fn path_that_does_not_exist_is_recorded() {
    let server = TestServer::start();
    let account = server.account("ops");
    entries(&account, "");
    account
        .send("GET", "/integrations", None)
        .assert_status(404);
    assert_eq!(lines(&account, "status=404"), ["GET /integrations"]);
}

#[test]
fn long_and_other_bodies_are_kept_as_the_beginning_of_their_text() {
    let server = TestServer::start();
    let account = server.account("ops");
    entries(&account, "");
    let long = "x".repeat(100_000);
    account.create(json!({"name": long, "type": "email", "destination_ids": []}));
    account.send("POST", "/integration", Some("no json"));

    let found = entries(&account, "");
    assert_eq!(found[0]["body"]["text"].as_str().unwrap().len(), 64 << 10);
    assert!(found[0]["body"]["bytes"].as_u64().unwrap() > 100_000);
    assert_eq!(found[1]["body"], json!({"text": "no json", "bytes": 7}));
    assert_eq!(entries(&account, "body.text=no%20json").len(), 1);
}

#[test]
fn read_only_credential_reads_the_journal_but_does_not_empty_it() {
    let server = TestServer::with_people();
    let reader = server.read_only_key();
    assert_eq!(lines(&reader, ""), [""; 0]);
    reader
        .send("DELETE", "/_local/requests", None)
        .assert_error(403, &["may read the control plane"]);
}
