//! What a web page that somebody opens in a browser on this machine must not be able to do.
//!
//! `docs/security.md` names these tests in its table.

use crate::{
    callers::{Caller, id},
    receiver::{Receiver, alert, logs, sender},
    server::TestServer,
    smtp,
    users::{declared, token_of},
};
use pagertree_local::config::EgressSetting;
use serde_json::{Value, json};

const EVIL: &str = "https://evil.example";

fn webhook_to(url: &str) -> Value {
    json!({"name": "Hook", "type": "outgoingwebhook", "destination_ids": [], "options": {"url": url}})
}

fn status_for(server: &TestServer, host: &str, path: &str) -> u16 {
    server
        .account("ops")
        .with("Host", host)
        .send("GET", path, None)
        .status
}

#[test]
fn private_host_names_are_accepted_in_open_mode() {
    let server = TestServer::start();
    for host in [
        "127.0.0.1:7243",
        "[::1]:7243",
        "10.1.2.3",
        "localhost",
        "LOCALHOST:7243",
        "app.localhost",
        "pagertree:7243",
        "host.docker.internal",
    ] {
        assert_eq!(status_for(&server, host, "/integration"), 200, "{host}");
    }
}

#[test]
fn rebound_host_name_answers_421() {
    let server = TestServer::start();
    for host in [
        "evil.example",
        "evil.example:7243",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "a b",
        "<x>",
    ] {
        for path in [
            "/integration",
            "/livez",
            "/metrics",
            "/_local/backup",
            "/nowhere",
        ] {
            assert_eq!(status_for(&server, host, path), 421, "{host} {path}");
        }
    }

    let answer = server
        .account("ops")
        .with("Host", "evil.example")
        .create(webhook_to("http://127.0.0.1:1/"));

    answer.assert_error(
        421,
        &["'evil.example'. If the name is yours, add it to the setting 'allowed_hosts'"],
    );
    assert_eq!(server.account("ops").total(""), 0);

    let id = id(&server.account("ops").created("Webhook")).to_owned();
    let event = server.anonymous().with("Host", "evil.example").send(
        "POST",
        &format!("/integration/{id}"),
        Some("{}"),
    );

    event.assert_error(421, &["allowed_hosts"]);
}

#[test]
fn host_of_an_absolute_target_is_checked() {
    let server = TestServer::start();
    let mut connection = crate::connection::Connection::open(&server);
    connection.send("GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(connection.receive().status, 421);
}

#[test]
fn allowed_hosts_are_accepted() {
    let server = TestServer::with(|settings| {
        settings.allowed_hosts = vec!["alerts.example".into(), "*.tunnel.example".into()]
    });
    assert_eq!(
        status_for(&server, "alerts.example:443", "/integration"),
        200
    );
    assert_eq!(status_for(&server, "x.tunnel.example", "/integration"), 200);
    assert_eq!(status_for(&server, "localhost", "/integration"), 200);
    assert_eq!(status_for(&server, "evil.example", "/integration"), 421);
}

#[test]
fn keys_mode_checks_hosts_only_if_configured() {
    let status = |server: &TestServer, host: &str| server.key().with("Host", host).list("").status;
    assert_eq!(status(&TestServer::with_people(), "alerts.example"), 200);
    let server = TestServer::with(|settings| {
        declared(settings);
        settings.allowed_hosts = vec!["alerts.example".into()];
    });
    assert_eq!(status(&server, "alerts.example"), 200);
    for host in ["evil.example", "localhost", "127.0.0.1"] {
        assert_eq!(status(&server, host), 421, "{host}");
    }
}

#[test]
fn foreign_page_cannot_create_a_webhook_to_this_machine() {
    let (server, receiver) = (TestServer::start(), Receiver::answering(&[200]));
    let account = server.account("ops");
    for page in [
        account.with("Origin", EVIL),
        account.with("Origin", "null"),
        account.with("Sec-Fetch-Site", "cross-site"),
    ] {
        page.create(webhook_to(&receiver.url()))
            .assert_error(403, &["cors.origins"]);
        let email = page.created("Mail");
        let turned = page.update(
            id(&email),
            json!({"type": "outgoingwebhook", "options": {"url": receiver.url()}}),
        );
        turned.assert_error(403, &["outgoing.reach"]);
        assert_eq!(account.get(id(&email)).json()["type"], "email");
    }

    let own = sender(&account, json!({"url": "http://127.0.0.1:1/"}));
    let moved = account
        .with("Origin", EVIL)
        .update(id(&own), json!({"options": {"url": receiver.url()}}));

    moved.assert_error(403, &["A web page of another site"]);
}

#[test]
fn local_pages_can_create_webhooks() {
    let server = TestServer::with(|settings| {
        settings.cors.origins = vec!["auto".into(), "https://app.example".into()]
    });

    let account = server.account("ops");
    for origin in [
        "http://localhost:3000",
        "http://127.0.0.1:8080",
        "https://app.example",
        &format!("http://{}", server.address),
    ] {
        account
            .with("Origin", origin)
            .create(webhook_to("http://127.0.0.1:1/"))
            .assert_status(200);
    }
}

#[test]
fn any_page_can_create_webhooks_to_public_addresses() {
    let server = TestServer::with(|settings| {
        settings.outgoing.reach = EgressSetting::Public;
        settings.cors.origins = vec!["*".into()];
    });
    server
        .account("ops")
        .with("Origin", EVIL)
        .create(webhook_to("https://hooks.example/"))
        .assert_status(200);
}

#[test]
fn keys_mode_page_cannot_create_a_webhook_to_the_network() {
    let server = TestServer::with(|settings| {
        declared(settings);
        settings.outgoing.reach = EgressSetting::All;
    });
    let page = server.account(&token_of("key_writer")).with("Origin", EVIL);
    page.create(webhook_to("http://10.0.0.1/"))
        .assert_error(403, &["A web page of another site"]);
}

#[test]
fn response_body_of_a_private_address_is_not_logged() {
    let (server, receiver) = (TestServer::start(), Receiver::answering(&[200]));
    let account = server.account("ops");
    sender(&account, json!({"url": receiver.url()}));
    alert(&account, "It broke");
    receiver.next();
    let log = &logs(&account, 1)[0];
    assert_eq!(log["response"]["body"], json!({"text": "", "bytes": 5}));
    assert_eq!(log["status"], 200);
}

fn events_of(account: &Caller) -> u64 {
    account.send("GET", "/log", None).json()["total_count"]
        .as_u64()
        .unwrap()
}

#[test]
fn foreign_page_cannot_send_events_in_open_mode() {
    let server = TestServer::start();
    let account = server.account("ops");
    let integration =
        account.created_from(json!({"name": "Hook", "type": "webhook", "destination_ids": []}));
    let (path, image) = (
        format!("/integration/{}", id(&integration)),
        format!("/integration/{}/g?event_type=create", id(&integration)),
    );
    let form = server
        .anonymous()
        .with("Origin", EVIL)
        .with("Content-Type", "text/plain");
    form.send("POST", &path, Some(r#"{"event_type":"create","Id":"1"}"#))
        .assert_error(403, &["cors.origins"]);
    server
        .anonymous()
        .with("Sec-Fetch-Site", "cross-site")
        .send("GET", &image, None)
        .assert_error(403, &["cors.origins"]);
    assert_eq!(events_of(&account), 0);

    for sender in [
        server.anonymous(),
        server.anonymous().with("Origin", "http://localhost:3000"),
        server.anonymous().with("Sec-Fetch-Site", "none"),
    ] {
        sender.send("GET", &image, None).assert_status(200);
    }

    assert_eq!(events_of(&account), 3);
}

#[test]
fn allowed_page_can_send_events() {
    let server = TestServer::with(|settings| settings.cors.origins = vec!["*".into()]);
    let id = id(&server.account("ops").created("Hook")).to_owned();
    server
        .anonymous()
        .with("Origin", EVIL)
        .send("POST", &format!("/integration/{id}"), Some("{}"))
        .assert_status(200);
}

#[test]
fn keys_mode_accepts_events_from_any_page() {
    let server = TestServer::with_people();
    let id = id(&server.key().created("Hook")).to_owned();
    server
        .anonymous()
        .with("Origin", EVIL)
        .send("POST", &format!("/integration/{id}"), Some("{}"))
        .assert_status(200);
}

#[test]
fn browser_post_to_the_mail_port_is_refused() {
    let server = smtp::start();
    let account = server.account("ops");
    let id = smtp::integration(&account, "email");
    let mut client = smtp::Client::connected(server.mail_address());
    let commands = format!(
        "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{id}@c.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n"
    );
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
        server.mail_address(),
        commands.len()
    );
    assert!(client.say(&format!("{head}{commands}")).starts_with("554 "));
    assert_eq!(account.send("GET", "/log", None).json()["total_count"], 0);
    assert_eq!(account.send("GET", "/alert", None).json()["total_count"], 0);
}

#[test]
fn echoed_text_is_not_rendered_as_html() {
    let server = TestServer::start();
    let account = server.account("ops");
    let options = json!({"incoming_enabled": true});
    let body = json!({"name": "Page", "type": "meta_workplace", "destination_ids": [], "options": options});
    let id = id(&account.created_from(body)).to_owned();
    let query = "hub.mode=subscribe&hub.challenge=%3Cscript%3Ealert(1)%3C/script%3E";
    let answer = server
        .anonymous()
        .send("GET", &format!("/integration/{id}/g?{query}"), None)
        .assert_status(200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}
