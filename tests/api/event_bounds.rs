//! What third parties send, and the options by which it is read, cost and keep no more than they
//! may; and what only the sender may know is not shown.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

fn integration(account: &Caller, kind: &str, options: Value) -> String {
    let body = json!({"name": "n", "type": kind, "destination_ids": ["tem_1"], "options": options});
    id(&account.created_from(body)).to_owned()
}

fn list(account: &Caller, path: &str) -> Vec<Value> {
    account.send("GET", path, None).assert_status(200).json()["data"]
        .as_array()
        .unwrap()
        .clone()
}

fn last_log(account: &Caller) -> Value {
    list(account, "/log?limit=1&sort=-tinyId").swap_remove(0)
}

fn post(server: &TestServer, integration: &str, body: &Value) {
    server
        .anonymous()
        .send(
            "POST",
            &format!("/integration/{integration}"),
            Some(&body.to_string()),
        )
        .assert_status(200);
}

/// One such event ended the process: the stack of the parser overflowed, or all memory was taken.
#[test]
fn hostile_expressions_and_templates_do_not_crash_the_server() {
    let server = TestServer::start();
    let account = server.account("ops");
    for options in [
        json!({"wrapper_key": "(".repeat(5_000)}),
        json!({"wrapper_key": "a.".repeat(5_000)}),
        json!({"wrapper_key": vec!["[@,@]"; 22].join("|")}),
        json!({"title_template_enabled": true, "title_template": "{{replace data.description \"x\" data.description}}"}),
        json!({"title_template_enabled": true, "title_template": "{{#each data.tags}}{{append ../data.description this}}{{/each}}"}),
    ] {
        let integration = integration(&account, "webhook", options.clone());
        let event = json!({"event_type": "create", "id": "1", "title": "t", "description": "x".repeat(300_000), "tags": ["a", "b"]});
        post(&server, &integration, &event);
        let outcome = last_log(&account)["outcome"].as_str().unwrap().to_owned();
        assert!(!outcome.is_empty(), "{options}");
    }
}

/// 300 KB of it took a quarter of a minute, and gigabytes where the elements were words in bold.
#[test]
fn costly_html_is_reduced_to_text() {
    let server = TestServer::start();
    let account = server.account("ops");
    let mailbox = integration(&account, "email", json!({}));

    for html in [
        "<div>".repeat(60_000) + "full",
        "<b a=i>".repeat(1_000) + &"<p>full".repeat(10_000),
    ] {
        let message = format!("Subject: Disk\r\nContent-Type: text/html\r\n\r\n{html}");
        server
            .anonymous()
            .with("Content-Type", "message/rfc822")
            .send("POST", &format!("/integration/{mailbox}"), Some(&message))
            .assert_status(200);

        let alert = list(&account, "/alert?limit=1&sort=-tinyId").swap_remove(0);
        let description = alert["description"].as_str().unwrap();
        assert!(
            !description.contains("<div>") && !description.contains("<b"),
            "{description:.100}"
        );
        assert!(description.len() <= 65_536);
    }
}

/// Whoever knew the address of a mailbox ended the process with one message: each of 30,000
/// messages within it was opened.
#[test]
fn attached_messages_are_not_parsed() {
    let server = TestServer::start();
    let account = server.account("ops");
    let mailbox = integration(&account, "email", json!({}));
    let nested =
        "Subject: Disk\r\n".to_owned() + &"Content-Type: message/rfc822\r\n\r\n".repeat(30_000);
    let forwarded = "Subject: Disk\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\n\
                     Content-Type: message/rfc822\r\n\r\nSubject: other\r\n\r\nwords\r\n--b--\r\n";

    for (message, description) in [(nested.as_str(), ""), (forwarded, "see below")] {
        let sender = server.anonymous().with("Content-Type", "message/rfc822");
        sender
            .send("POST", &format!("/integration/{mailbox}"), Some(message))
            .assert_status(200);
        let alert = list(&account, "/alert?limit=1&sort=-tinyId").swap_remove(0);
        assert_eq!(
            (&alert["title"], &alert["description"]),
            (&json!("Disk"), &json!(description))
        );
    }
}

#[test]
fn alerts_of_events_are_truncated_to_the_limits() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration = integration(&account, "webhook", json!({}));
    let tags: Vec<String> = (0..20_000).map(|number| format!("t{number}")).collect();
    let event = json!({"event_type": "create", "id": "1", "title": "t".repeat(100_000), "description": "d".repeat(300_000), "tags": tags,
        "dedup_keys": tags});

    post(&server, &integration, &event);
    let [alert] = list(&account, "/alert").try_into().unwrap();
    assert_eq!(alert["title"].as_str().unwrap().len(), 1024);
    assert_eq!(alert["description"].as_str().unwrap().len(), 65_536);
    assert_eq!(alert["tags"].as_array().unwrap().len(), 100);
    account
        .send(
            "PUT",
            &format!("/alert/{}", id(&alert)),
            Some(&alert.to_string()),
        )
        .assert_status(200);
    let log = last_log(&account);
    assert_eq!(
        log["request"]["body"]["text"].as_str().unwrap().len(),
        65_536
    );
    assert!(log.to_string().len() < 256 << 10);
}

/// Keys of Alertmanager's groups are longer than an id may be. No alert was ever made of them.
#[test]
fn a_long_thirdparty_id_is_stored_as_a_hash_and_found_by_its_original() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration = integration(&account, "webhook", json!({}));
    let long = "group/".repeat(300);
    let event = |kind: &str| json!({"event_type": kind, "id": long, "title": "It broke"});

    post(&server, &integration, &event("create"));
    post(&server, &integration, &event("create"));
    let [alert] = list(&account, "/alert").try_into().unwrap();
    let kept = alert["thirdparty_id"].as_str().unwrap();

    assert!(kept.starts_with("sha256:") && kept.len() == 71, "{kept}");
    for asked in [&long, kept] {
        assert_eq!(
            list(&account, &format!("/alert?thirdparty_id={asked}")).len(),
            1,
            "{asked}"
        );
        assert!(
            !list(&account, &format!("/log?thirdparty_id={asked}")).is_empty(),
            "{asked}"
        );
    }

    let twice = json!({"title": "t", "source_id": integration, "thirdparty_id": long, "destination_ids": []});
    account
        .send("POST", "/alert", Some(&twice.to_string()))
        .assert_status(409);
    post(&server, &integration, &event("resolve"));
    assert_eq!(list(&account, "/alert")[0]["status"], "resolved");
}

#[test]
fn secrets_of_senders_are_masked_in_logs() {
    let server = TestServer::start();
    let account = server.account("ops");
    let webhook = integration(&account, "webhook", json!({"token": "open-sesame"}));
    let path = format!("/integration/{webhook}?api_key=KEY-1&host=db-1");
    let body = json!({"event_type": "create", "id": "1", "title": "t", "note": "with open-sesame"});
    let sender = server
        .anonymous()
        .with("pagertree-token", "open-sesame")
        .with("X-Functions-Key", "KEY-2");
    sender
        .send("POST", &path, Some(&body.to_string()))
        .assert_status(200);
    let request = last_log(&account)["request"].clone();
    assert_eq!(request["query"], "api_key=***&host=db-1");
    assert_eq!(request["headers"]["x-functions-key"], "***");
    assert!(
        request["body"]["text"]
            .as_str()
            .unwrap()
            .contains("with ***"),
        "{request}"
    );

    let slack = integration(&account, "slackoutgoingwebhook", json!({}));
    let sender = server
        .anonymous()
        .with("Content-Type", "application/x-www-form-urlencoded");
    let form = "token=xoxb-1&channel_id=C1&timestamp=1.5&text=high";

    sender
        .send("POST", &format!("/integration/{slack}"), Some(form))
        .assert_status(200);

    let log = last_log(&account);
    assert_eq!(
        log["request"]["body"]["text"],
        "token=***&channel_id=C1&timestamp=1.5&text=high"
    );
    assert!(!log.to_string().contains("xoxb-1"), "{log}");
}

/// It is answered 200, since what is refused is sent for ever; no log would mean that nothing had
/// arrived.
#[test]
fn a_rate_limited_event_of_elastalert_is_logged() {
    let server = TestServer::with(|settings| settings.limits.events_per_minute = 1);
    let account = server.account("ops");
    let integration = integration(&account, "elastalert", json!({}));

    for number in 0..3 {
        post(
            &server,
            &integration,
            &json!({"event_type": "create", "Id": number.to_string(), "Title": "t"}),
        );
    }

    assert_eq!(list(&account, "/alert").len(), 1);
    let outcomes: Vec<_> = list(&account, "/log")
        .iter()
        .map(|log| log["outcome"].clone())
        .collect();
    let too_much = "the rate limit of limits.events_per_minute was exceeded";

    assert_eq!(outcomes, ["an alert was created", too_much, too_much]);
}

#[test]
fn an_outgoing_integration_receives_no_events() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration = integration(&account, "outgoingwebhook", json!({}));

    post(
        &server,
        &integration,
        &json!({"event_type": "create", "id": "1", "title": "t"}),
    );
    assert_eq!(list(&account, "/alert"), [Value::Null; 0]);
    assert_eq!(
        last_log(&account)["outcome"],
        "integrations of type 'outgoingwebhook' do not receive events"
    );
}

#[test]
fn head_creates_no_event() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration = integration(&account, "uptimerobot", json!({}));
    let path = format!(
        "/integration/{integration}/g?monitorID=1&alertTypeFriendlyName=Down&monitorFriendlyName=Shop"
    );

    server
        .anonymous()
        .send("HEAD", &path, None)
        .assert_status(200);
    server
        .anonymous()
        .send("HEAD", "/integration/int_nobody/g", None)
        .assert_status(404);
    assert_eq!(list(&account, "/log"), [Value::Null; 0]);
    server
        .anonymous()
        .send("GET", &path, None)
        .assert_status(200);
    assert_eq!(list(&account, "/alert").len(), 1);
}
