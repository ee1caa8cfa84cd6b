//! Mail: messages for `<integration id>@…` become alerts, others are refused, and nobody can make
//! the server grow or wait.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use pagertree_local::config::Settings;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

pub(crate) fn start() -> TestServer {
    start_with(|_| {})
}

pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> TestServer {
    TestServer::with(|settings| {
        settings.smtp.listen = "127.0.0.1:0".into();
        change(settings);
    })
}

/// A client that says what it is told to.
pub(crate) struct Client(pub(crate) BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self(BufReader::new(stream))
    }

    /// One that has been greeted and has said nothing.
    pub(crate) fn connected(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        assert!(client.reply().starts_with("220 "));
        client
    }

    pub(crate) fn greeted(address: SocketAddr) -> Self {
        let mut client = Self::connected(address);
        assert!(client.say("EHLO test.example").contains("\r\n250 SIZE "));
        client
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// All lines of a reply; empty at the end of the connection.
    pub(crate) fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).unwrap();
            reply.push_str(&line);
            if read == 0 || line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    pub(crate) fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// From the sender to the message. Returns the reply to it.
    pub(crate) fn mail(&mut self, to: &[&str], message: &str) -> String {
        assert!(self.say("MAIL FROM:<ops@example.com>").starts_with("250 "));
        for one in to {
            let reply = self.say(&format!("RCPT TO:<{one}@alerts.example>"));
            assert!(reply.starts_with("250 "), "{reply}");
        }
        assert!(self.say("DATA").starts_with("354 "));
        self.send(message.as_bytes());
        self.say(".")
    }
}

pub(crate) fn integration(me: &Caller, kind: &str) -> String {
    id(&me.created_from(json!({"name": "Mail", "type": kind, "destination_ids": ["tem_a"]})))
        .to_owned()
}

fn objects(me: &Caller, kind: &str) -> Vec<Value> {
    let answer = me.send("GET", &format!("/{kind}"), None).assert_status(200);
    answer.json()["data"].as_array().unwrap().clone()
}

pub(crate) fn alerts(me: &Caller) -> Vec<Value> {
    objects(me, "alert")
}

pub(crate) const MESSAGE: &str = "From: Ops <ops@example.com>\r\nTo: x@example.com\r\nSubject: Disk full\r\nMessage-ID: <1@example.com>\r\n\r\n\
                       db-1 has no room.\r\n..and a line that begins with a dot\r\n";

#[test]
fn a_message_creates_an_alert_and_a_log_with_its_envelope() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());

    assert_eq!(client.mail(&[&id], MESSAGE), "250 2.0.0 accepted\r\n");
    assert!(client.say("QUIT").starts_with("221 "));
    assert_eq!(client.reply(), "", "the connection is closed");

    let alerts = alerts(&me);
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["title"], "Disk full");
    assert_eq!(alerts[0]["thirdparty_id"], "1@example.com");
    assert_eq!(
        alerts[0]["description"],
        "db-1 has no room.\n.and a line that begins with a dot\n"
    );
    assert_eq!(alerts[0]["source_id"], id.as_str());
    let log = objects(&me, "log")[0].clone();
    assert_eq!(log["action"], "create");
    assert_eq!(log["request"]["method"], "SMTP");
    assert_eq!(log["request"]["remote"], "127.0.0.1");
    assert_eq!(log["request"]["headers"]["mail-from"], "ops@example.com");
    assert_eq!(log["request"]["headers"]["helo"], "test.example");
}

#[test]
fn messages_may_have_several_recipients_and_share_a_connection() {
    let server = start();
    let me = server.account("a");
    let (one, other) = (integration(&me, "email"), integration(&me, "email"));
    let mut client = Client::greeted(server.mail_address());

    assert!(
        client
            .mail(&[&one, &other, &one], MESSAGE)
            .starts_with("250 ")
    );
    assert_eq!(alerts(&me).len(), 2);

    // The same once more makes no second alert, another one does.
    assert!(client.mail(&[&one], MESSAGE).starts_with("250 "));
    assert_eq!(alerts(&me).len(), 2);
    assert!(
        client
            .mail(&[&one], "Subject: Another\r\n\r\n")
            .starts_with("250 ")
    );
    assert_eq!(alerts(&me).len(), 3);
}

/// Many systems write addresses in lower case, but ids have capitals.
#[test]
fn ids_are_found_in_any_case() {
    let server = start();
    let me = server.account("a");
    let (id, webhook) = (integration(&me, "email"), integration(&me, "webhook"));
    let mut client = Client::greeted(server.mail_address());
    for (number, name) in [
        id.to_lowercase(),
        id.to_uppercase(),
        format!("a+{}", id.to_lowercase()),
    ]
    .iter()
    .enumerate()
    {
        let message = format!("Subject: {number}\r\n\r\nbody\r\n");
        assert!(client.mail(&[name], &message).starts_with("250 "), "{name}");
    }
    assert_eq!(alerts(&me).len(), 3);
    assert_eq!(alerts(&me)[0]["source_id"], id);

    client.say("MAIL FROM:<>");
    let lower = webhook.to_lowercase();
    assert!(
        client
            .say(&format!("RCPT TO:<{lower}@x>"))
            .starts_with("550 5.1.1 ")
    );
    assert!(
        client
            .say("RCPT TO:<int_00000000000000@x>")
            .starts_with("550 5.1.1 ")
    );
    let refused = objects(&me, "log")
        .into_iter()
        .find(|log| log["status"] == 550);
    assert_eq!(refused.unwrap()["source_id"], webhook);
}

#[test]
fn only_integrations_of_type_email_have_a_mailbox() {
    let server = start();
    let me = server.account("a");
    let webhook = integration(&me, "webhook");
    let mut client = Client::greeted(server.mail_address());

    client.say("MAIL FROM:<>");
    for name in [
        "postmaster",
        "int_nobody",
        webhook.as_str(),
        "int_ö",
        "\"int_x y\"",
    ] {
        let reply = client.say(&format!("RCPT TO:<{name}@alerts.example>"));
        assert!(
            reply.starts_with("550 5.1.1 ") || reply.starts_with("501 "),
            "{name}: {reply}"
        );
    }

    assert!(
        client
            .say("DATA")
            .starts_with("503 5.5.1 send RCPT TO first")
    );

    // Of what is no mailbox, only an integration leaves a log.
    assert_eq!(objects(&me, "log").len(), 1);
    assert!(objects(&me, "alert").is_empty());
}

#[test]
fn messages_that_the_integration_refuses_are_rejected() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());
    let spam = format!("X-SES-Spam-Verdict: FAIL\r\n{MESSAGE}");

    assert!(client.mail(&[&id], &spam).starts_with("550 5.7.1 "));
    me.update(&id, json!({"enabled": false})).assert_status(200);
    assert!(client.mail(&[&id], MESSAGE).starts_with("550 5.2.1 "));
    assert!(alerts(&me).is_empty());
    assert_eq!(objects(&me, "log").len(), 2);

    // Deleted between the recipient and the message.
    me.update(&id, json!({"enabled": true})).assert_status(200);
    client.say("MAIL FROM:<a@example.com>");
    assert!(client.say(&format!("RCPT TO:<{id}@x>")).starts_with("250 "));
    me.delete(&id).assert_status(204);
    client.say("DATA");
    client.send(MESSAGE.as_bytes());
    assert!(client.say(".").starts_with("550 5.1.1 "));
}

#[test]
fn address_literals_are_accepted_as_hosts() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());

    assert!(client.say("MAIL FROM:<ops@[IPv6:::1]>").starts_with("250 "));
    for host in ["[127.0.0.1]", "[IPv6:::1]"] {
        assert!(
            client
                .say(&format!("RCPT TO:<{id}@{host}>"))
                .starts_with("250 2.1.5 "),
            "{host}"
        );
    }

    assert!(
        client
            .say(&format!("RCPT TO:<{id}@[127.0.0.1>"))
            .starts_with("501 ")
    );
    client.say("DATA");
    client.send(MESSAGE.as_bytes());
    assert!(client.say(".").starts_with("250 "));
    assert_eq!(
        objects(&me, "log")[0]["request"]["headers"]["mail-from"],
        "ops@[IPv6:::1]"
    );
    assert_eq!(alerts(&me).len(), 1);
}

#[test]
fn commands_out_of_order_are_rejected_with_a_hint() {
    let server = start();
    let mut client = Client::connect(server.mail_address());
    assert!(client.reply().starts_with("220 "));
    assert!(
        client
            .say("MAIL FROM:<a@example.com>")
            .starts_with("503 5.5.1 send EHLO first")
    );
    assert!(client.say("HELO me").starts_with("250 "));
    assert!(
        client
            .say("RCPT TO:<a@example.com>")
            .starts_with("503 5.5.1 send MAIL FROM first")
    );
    assert!(
        client
            .say("DATA")
            .starts_with("503 5.5.1 send MAIL FROM first")
    );
    assert!(client.say("MAIL FROM:<a@example.com>").starts_with("250 "));
    assert!(client.say("MAIL FROM:<a@example.com>").starts_with("503 "));
    assert!(client.say("RSET").starts_with("250 "));
    assert!(client.say("MAIL FROM:a@example.com").starts_with("501 "));
    assert!(client.say("NOOP").starts_with("250 "));
    assert!(client.say("VRFY a").starts_with("252 "));
    assert!(client.say("STARTTLS").starts_with("502 "));
    assert!(client.say("AUTH PLAIN AGEAYg==").starts_with("502 "));
    assert!(client.say("GET / HTTP/1.1").starts_with("500 "));
}
