//! Events that are refused before they are read leave a log, and not more than one a minute.

use crate::{
    callers::{Caller, id},
    connection::Connection,
    server::TestServer,
    smtp,
};
use serde_json::{Value, json};

fn integration(account: &Caller, kind: &str) -> String {
    id(&account.created_from(json!({"name": "n", "type": kind, "destination_ids": []}))).to_owned()
}

fn logs(account: &Caller) -> Vec<Value> {
    account.send("GET", "/log", None).assert_status(200).json()["data"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn a_refused_body_is_logged() {
    let server = TestServer::with(|settings| settings.limits.body_bytes = 100);
    let account = server.account("ops");
    let path = format!("/integration/{}", integration(&account, "webhook"));

    for _ in 0..3 {
        server
            .anonymous()
            .send("POST", &path, Some(&"x".repeat(101)))
            .assert_status(413);
    }

    server
        .anonymous()
        .with("Content-Encoding", "compress")
        .send("POST", &path, Some("x"))
        .assert_status(415);

    let logs = logs(&account);
    let shown: Vec<_> = logs
        .iter()
        .map(|log| (&log["action"], &log["status"], &log["request"]["path"]))
        .collect();
    let (action, path) = (json!("refused"), json!(path));

    assert_eq!(
        shown,
        [(&action, &json!(413), &path), (&action, &json!(415), &path)]
    );
    assert_eq!(logs[0]["outcome"], "The body may have at most 100 bytes");
}

#[test]
fn the_first_rate_limited_event_is_logged() {
    let server = TestServer::with(|settings| settings.limits.events_per_minute = 1);
    let account = server.account("ops");
    let path = format!("/integration/{}", integration(&account, "webhook"));
    let body = json!({"event_type": "create", "id": "1", "title": "t"}).to_string();

    server
        .anonymous()
        .send("POST", &path, Some(&body))
        .assert_status(200);

    for _ in 0..3 {
        server
            .anonymous()
            .send("POST", &path, Some(&body))
            .assert_status(429);
    }

    let statuses: Vec<_> = logs(&account)
        .iter()
        .map(|log| log["status"].clone())
        .collect();

    assert_eq!(statuses, [json!(200), json!(429)]);
}

#[test]
fn a_get_on_the_post_path_names_the_right_path() {
    let server = TestServer::start();
    let account = server.account("ops");
    let path = format!("/integration/{}", integration(&account, "webhook"));

    server
        .anonymous()
        .send("GET", &format!("{path}?event_type=create"), None)
        .assert_status(401);
    account.send("GET", &path, None).assert_status(200);

    let [log] = logs(&account).try_into().unwrap();
    assert!(
        log["outcome"]
            .as_str()
            .unwrap()
            .contains(&format!("{path}/g")),
        "{log}"
    );
    assert_eq!(
        (&log["status"], &log["request"]["query"]),
        (&json!(401), &json!("event_type=create"))
    );
}

#[test]
fn refused_heads_of_events_are_logged() {
    let server = TestServer::with(|settings| settings.limits.url_bytes = 1_000);
    let account = server.account("ops");
    let path = format!("/integration/{}", integration(&account, "webhook"));
    let long = "x".repeat(1_001);

    server
        .anonymous()
        .send("GET", &format!("{path}/g?Title={long}"), None)
        .assert_status(414);
    // Refused by the HTTP library.
    Connection::open(&server)
        .request(
            &format!("POST {path}?t=ü&x={} HTTP/1.1", "x".repeat(70_000)),
            "",
        )
        .receive()
        .assert_status(414);
    let many: String = (0..100).map(|n| format!("x-{n}: 1\n")).collect();
    Connection::open(&server)
        .request(
            &format!("POST {path}?a=ü HTTP/1.1\nToken: secret\n{many}"),
            "",
        )
        .receive()
        .assert_status(431);
    Connection::open(&server)
        .request(&format!("POST {path} HTTP/1.1\nbad header"), "")
        .receive()
        .assert_status(400);
    // No events.
    server
        .anonymous()
        .send("GET", &format!("{path}?{long}"), None)
        .assert_status(414);
    server
        .anonymous()
        .send("PUT", &format!("{path}?{long}"), None)
        .assert_status(414);

    // The logs of heads that the library refuses are written behind their responses.
    let logs = loop {
        let logs = logs(&account);
        if logs.len() >= 3 {
            break logs;
        }
    };
    let mut statuses: Vec<_> = logs
        .iter()
        .map(|log| log["status"].as_u64().unwrap())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [400, 414, 431]);

    let of = |status: u64| logs.iter().find(|log| log["status"] == status).unwrap();
    let too_long = "The path and query may have at most 1000 bytes";
    assert_eq!(of(414)["outcome"], too_long);
    assert_eq!(of(414)["request"]["query"], format!("Title={long}"));
    assert_eq!(of(431)["outcome"], "The head of the request is too large");
    assert_eq!(of(431)["request"]["query"], "a=%C3%BC");
    assert_eq!(of(431)["request"]["headers"]["token"], "***");
    assert_eq!(of(431)["request"]["headers"]["x-3"], "1");
}

#[test]
fn events_to_an_unknown_host_are_logged() {
    let server = TestServer::start();
    let account = server.account("ops");
    let path = format!("/integration/{}", integration(&account, "webhook"));
    Connection::open(&server)
        .send(format!(
            "POST {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n"
        ))
        .receive()
        .assert_status(421);
    let [log] = logs(&account).try_into().unwrap();
    let outcome = log["outcome"].as_str().unwrap();
    assert!(outcome.contains("allowed_hosts"), "{log}");
}

#[test]
fn refused_mail_is_logged() {
    let server = smtp::start_with(|settings| settings.smtp.message_bytes = 1_024);
    let account = server.account("ops");
    let (mail, webhook) = (
        integration(&account, "email"),
        integration(&account, "webhook"),
    );
    let mut client = smtp::Client::greeted(server.mail_address());
    let reply = client.mail(
        &[mail.as_str()],
        &format!("Subject: x\r\n\r\n{}\r\n", "x".repeat(2_000)),
    );
    assert!(reply.starts_with("552 "), "{reply}");
    assert!(
        client
            .say("MAIL FROM:<ops@example.com>")
            .starts_with("250 ")
    );
    assert!(
        client
            .say(&format!("RCPT TO:<{webhook}@alerts.example>"))
            .starts_with("550 ")
    );
    assert!(
        client
            .say("RCPT TO:<int_nosuchone1234@alerts.example>")
            .starts_with("550 ")
    );
    let shown: Vec<_> = logs(&account)
        .iter()
        .map(|log| (log["source_id"].clone(), log["status"].clone()))
        .collect();
    assert_eq!(
        shown,
        [(json!(mail), json!(552)), (json!(webhook), json!(550))]
    );
}
