//! `ETag`, and the conditions that clients make with it: reading nothing that they have, and
//! changing nothing that they have not seen.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::json;
use std::thread;

fn tag(answer: &Response) -> String {
    answer
        .header("etag")
        .unwrap_or_else(|| panic!("no tag in {answer:?}"))
        .to_owned()
}

/// One object of each kind: an integration, an alert of its, and the log of that.
fn objects(server: &TestServer, account: &Caller) -> [String; 3] {
    let body = json!({"name": "n", "type": "webhook", "destination_ids": ["tem_1"]});
    let integration = id(&account.created_from(body)).to_owned();
    let event = json!({"event_type": "create", "Id": "1", "Title": "Disk full"}).to_string();

    server
        .anonymous()
        .send("POST", &format!("/integration/{integration}"), Some(&event))
        .assert_status(200);

    let first = |path: &str| id(&account.send("GET", path, None).json()["data"][0]).to_owned();
    [
        format!("/integration/{integration}"),
        format!("/alert/{}", first("/alert")),
        format!("/log/{}", first("/log")),
    ]
}

#[test]
fn cached_response_answers_304() {
    let server = TestServer::start();
    let account = server.account("ops");
    let objects = objects(&server, &account);
    let lists = [
        "/integration",
        "/integration?limit=5&sort=-name",
        "/alert",
        "/alert?select=id",
        "/log?type=incoming",
    ];
    let selected = objects.clone().map(|path| format!("{path}?select=id"));

    for path in objects
        .iter()
        .map(String::as_str)
        .chain(lists)
        .chain(selected.iter().map(String::as_str))
    {
        let read = account.send("GET", path, None).assert_status(200);
        let tag = tag(&read);
        assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
        assert_eq!(read.header("cache-control"), Some("private, no-cache"));

        let known = [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ];

        for (method, known) in ["GET", "HEAD"]
            .into_iter()
            .flat_map(|method| known.iter().map(move |tag| (method, tag)))
        {
            let again = account
                .with("If-None-Match", known)
                .send(method, path, None)
                .assert_status(304);
            assert_eq!(
                (again.text.as_str(), again.header("etag")),
                ("", Some(tag.as_str())),
                "{method} {path} {known}"
            );
            assert_eq!(again.header("content-length"), None);
            assert_eq!(again.header("link"), read.header("link"));
        }

        for unknown in ["\"x\"", "W/\"\"", ""] {
            let again = account
                .with("If-None-Match", unknown)
                .send("GET", path, None)
                .assert_status(200);
            assert_eq!(again.text, read.text);
        }

        assert_eq!(
            account
                .send("HEAD", path, None)
                .assert_status(200)
                .header("etag"),
            Some(tag.as_str())
        );
    }
}

#[test]
fn tag_changes_with_the_response() {
    let server = TestServer::on_disk();
    let account = server.account("ops");
    let created = account
        .create(json!({"name": "x", "type": "email", "destination_ids": []}))
        .assert_status(200);
    let integration = id(&created.json()).to_owned();

    assert_eq!(tag(&created), tag(&account.get(&integration)));
    let list = tag(&account.list(""));
    let updated = account
        .update(&integration, json!({"name": "y"}))
        .assert_status(200);

    assert_ne!(tag(&updated), tag(&created));
    assert_eq!(tag(&updated), tag(&account.get(&integration)));
    account
        .with("If-None-Match", &tag(&created))
        .get(&integration)
        .assert_status(200);
    account
        .with("If-None-Match", &list)
        .list("")
        .assert_status(200);

    // It is the bytes that count, and they outlive the process.
    let before = (tag(&account.get(&integration)), tag(&account.list("")));
    let server = server.restart();
    let account = server.account("ops");

    assert_eq!(
        (tag(&account.get(&integration)), tag(&account.list(""))),
        before
    );
    account
        .with("If-None-Match", &before.0)
        .send("GET", "/integration/int_doesnotexist1", None)
        .assert_status(404);
    server
        .anonymous()
        .with("If-None-Match", &before.0)
        .get(&integration)
        .assert_status(401);
}

#[test]
fn stale_update_is_refused_with_412() {
    let server = TestServer::start();
    let account = server.account("ops");
    let [integration, alert, _] = objects(&server, &account);

    for (path, body) in [
        (&integration, r#"{"name":"mine"}"#),
        (&alert, r#"{"meta":{"seen":true}}"#),
    ] {
        let seen = tag(&account.send("GET", path, None));
        account
            .send(
                "PUT",
                path,
                Some(&body.replace("mine", "theirs").replace("true", "false")),
            )
            .assert_status(200);
        let before = account.send("GET", path, None);
        let outdated = account.with("If-Match", &seen);
        let refused = outdated
            .send("PUT", path, Some(body))
            .assert_error(412, &["'If-Match' does not match"]);
        assert!(
            refused.text.contains(tag(&before).trim_matches('"')),
            "{refused:?}"
        );
        outdated
            .send("DELETE", path, None)
            .assert_error(412, &["'If-Match' does not match"]);
        account
            .with("If-Match", &format!("W/{}", tag(&before)))
            .send("PUT", path, Some(body))
            .assert_status(412);
        account
            .with("If-None-Match", "*")
            .send("PUT", path, Some(body))
            .assert_error(412, &["'If-None-Match'"]);
        assert_eq!(account.send("GET", path, None).text, before.text);

        // What a selection was tagged with is good for a change, too.
        let now = tag(&account.send("GET", &format!("{path}?select=id"), None));
        let changed = account
            .with("If-Match", &format!("\"x\", {now}"))
            .send("PUT", path, Some(body))
            .assert_status(200);

        account
            .with("If-Match", &tag(&changed))
            .send("DELETE", path, None)
            .assert_status(204);
        account
            .with("If-Match", "*")
            .send("DELETE", path, None)
            .assert_status(404);
    }
}

#[test]
fn alert_actions_honor_preconditions() {
    let server = TestServer::start();
    let account = server.account("ops");
    let [_, alert, _] = objects(&server, &account);
    let seen = tag(&account.send("GET", &alert, None));
    let acknowledged =
        account
            .with("If-Match", &seen)
            .send("POST", &format!("{alert}/acknowledge"), None);

    for step in ["acknowledge", "resolve", "archive"] {
        account
            .with("If-Match", &seen)
            .send("POST", &format!("{alert}/{step}"), None)
            .assert_status(412);
    }

    let seen = tag(&acknowledged.assert_status(200));
    account
        .with("If-Match", &seen)
        .send("POST", &format!("{alert}/resolve"), None)
        .assert_status(200);
}

/// A wrong request is told so, whatever its conditions (RFC 9110, 13.2.1).
#[test]
fn other_errors_take_precedence_over_preconditions() {
    let server = TestServer::start();
    let account = server.account("ops").with("If-Match", "\"x\"");
    let created = server.account("ops").created("x");
    account
        .update(id(&created), json!({"urgency": "loud"}))
        .assert_status(400);
    account
        .update("int_doesnotexist1", json!({}))
        .assert_status(404);
    account.update(id(&created), json!({})).assert_status(412);
}

#[test]
fn one_of_many_conditional_updates_succeeds() {
    let server = TestServer::start();
    let account = server.account("ops");
    let created = account.create(json!({"name": "0", "type": "email", "destination_ids": []}));
    let (integration, mut seen) = (id(&created.json()).to_owned(), tag(&created));

    for round in 1..=5 {
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let (account, integration) = (account.with("If-Match", &seen), integration.clone());
                thread::spawn(move || {
                    account.update(&integration, json!({"name": format!("{round}-{client}")}))
                })
            })
            .collect();
        let answers: Vec<_> = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect();
        let (changed, refused): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((changed.len(), refused.len()), (1, 7), "{answers:?}");
        assert!(
            refused.iter().all(|answer| answer.status == 412),
            "{answers:?}"
        );
        seen = tag(changed[0]);
        assert_eq!(account.get(&integration).text, changed[0].text);
    }
}
