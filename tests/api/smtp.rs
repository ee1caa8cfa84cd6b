//! Mail: messages for `<integration id>@…` become alerts, others are refused, and nobody can make
//! the server grow or wait.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use pagertree_local::config::Settings;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
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
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: SocketAddr) -> Self {
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

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// All lines of a reply; empty at the end of the connection.
    fn reply(&mut self) -> String {
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
fn a_message_becomes_an_alert_and_a_log_says_who_sent_it() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());

    assert_eq!(client.mail(&[&id], MESSAGE), "250 2.0.0 taken\r\n");
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
fn one_message_may_be_for_several_and_one_connection_may_bring_several() {
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
            .starts_with("503 5.5.1 say RCPT TO first")
    );

    // Of what is no mailbox, only an integration leaves a log.
    assert_eq!(objects(&me, "log").len(), 1);
    assert!(objects(&me, "alert").is_empty());
}

#[test]
fn what_the_integration_refuses_is_refused() {
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
fn a_host_may_be_an_address() {
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
fn commands_out_of_turn_say_what_is_missing() {
    let server = start();
    let mut client = Client::connect(server.mail_address());
    assert!(client.reply().starts_with("220 "));
    assert!(
        client
            .say("MAIL FROM:<a@example.com>")
            .starts_with("503 5.5.1 say EHLO first")
    );
    assert!(client.say("HELO me").starts_with("250 "));
    assert!(
        client
            .say("RCPT TO:<a@example.com>")
            .starts_with("503 5.5.1 say MAIL FROM first")
    );
    assert!(
        client
            .say("DATA")
            .starts_with("503 5.5.1 say MAIL FROM first")
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

#[test]
fn a_message_that_is_too_large_is_refused_and_the_next_one_taken() {
    let server = start_with(|settings| settings.smtp.message_bytes = 4_096);
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());

    assert!(
        client
            .say("MAIL FROM:<a@example.com> SIZE=4097")
            .starts_with("552 5.3.4 ")
    );

    let large = format!(
        "Subject: Large\r\n\r\n{}",
        "0123456789abcdef\r\n".repeat(1_000)
    );

    assert!(client.mail(&[&id], &large).starts_with("552 5.3.4 "));
    assert!(alerts(&me).is_empty());
    assert!(client.mail(&[&id], MESSAGE).starts_with("250 "));
    assert_eq!(alerts(&me).len(), 1);
}

#[test]
fn commands_may_come_at_once_and_byte_by_byte() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let all = format!(
        "MAIL FROM:<a@x>\r\nRCPT TO:<{id}@x>\r\nDATA\r\nSubject: T\r\n\r\nb\r\n.\r\nRSET\r\n"
    );

    for size in [all.len(), 1, 7] {
        let mut client = Client::greeted(server.mail_address());
        for piece in all.as_bytes().chunks(size) {
            client.send(piece);
        }
        let replies: Vec<String> = (0..5).map(|_| client.reply()).collect();
        let codes: Vec<&str> = replies.iter().map(|reply| &reply[..3]).collect();
        assert_eq!(codes, ["250", "250", "354", "250", "250"], "{replies:?}");
    }

    assert_eq!(alerts(&me).len(), 3);
    // What would end a message for a careless reader does not: nothing can be put behind it.
    let mut client = Client::greeted(server.mail_address());

    let smuggled =
        format!("Subject: T\r\n\r\nb\n.\nRSET\r\nMAIL FROM:<b@x>\r\n\r.\rRCPT TO:<{id}@x>\r\n");
    assert!(client.mail(&[&id], &smuggled).starts_with("250 "));
    assert_eq!(alerts(&me).len(), 4);

    // A message without a single line.
    assert!(client.mail(&[&id], "").starts_with("250 "));
}

#[test]
fn an_integration_takes_so_many_per_minute() {
    let server = start_with(|settings| settings.limits.events_per_minute = 1);
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());
    assert!(client.mail(&[&id], MESSAGE).starts_with("250 "));
    assert!(client.mail(&[&id], MESSAGE).starts_with("451 4.7.1 "));
    let metrics = server.anonymous().send("GET", "/metrics", None).text;
    for outcome in ["taken", "too_many"] {
        let line = format!("pagertree_local_messages_total{{outcome=\"{outcome}\"}} 1\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[test]
fn a_message_sent_again_for_those_who_must_wait_is_for_them_alone() {
    let server = start_with(|settings| settings.limits.events_per_minute = 3);
    let me = server.account("a");
    let (one, busy) = (integration(&me, "email"), integration(&me, "email"));
    let of_one = || {
        alerts(&me)
            .into_iter()
            .filter(|alert| alert["source_id"] == one.as_str())
            .count()
    };

    let mut client = Client::greeted(server.mail_address());
    for _ in 0..3 {
        assert!(client.mail(&[&busy], MESSAGE).starts_with("250 "));
    }

    // Without a Message-ID nothing else tells it from another.
    let message = "Subject: Once\r\n\r\nb\r\n";
    for _ in 0..3 {
        assert!(
            client
                .mail(&[&one, &busy], message)
                .starts_with("451 4.7.1 ")
        );
        assert_eq!(of_one(), 1);
    }

    assert!(client.mail(&[&one], message).starts_with("250 "));
    assert_eq!(of_one(), 1);
    // What nobody waits for any more is another message.
    assert!(client.mail(&[&one], message).starts_with("250 "));
    assert_eq!(of_one(), 2);
}

#[test]
fn so_many_connections_and_no_more() {
    let server = start_with(|settings| settings.smtp.connections = 2);
    let first = Client::greeted(server.mail_address());
    let _second = Client::greeted(server.mail_address());
    let mut third = Client::connect(server.mail_address());

    assert!(third.reply().starts_with("421 4.3.2 "));
    assert_eq!(third.reply(), "");
    drop(first);

    // The server learns of that in its own time.
    while !Client::connect(server.mail_address())
        .reply()
        .starts_with("220 ")
    {}
}

#[test]
fn silence_and_nonsense_end_a_connection() {
    let server = start_with(|settings| settings.smtp.idle_seconds = 1);
    let mut silent = Client::greeted(server.mail_address());
    let mut babbler = Client::greeted(server.mail_address());
    let mut last = String::new();

    for _ in 0..=20 {
        assert!(!last.starts_with("421"), "not yet");
        last = babbler.say("WHAT");
    }

    assert!(last.starts_with("421 4.7.0 "), "{last}");
    let mut long = Client::greeted(server.mail_address());
    long.send(&[b'x'; 10_000]);
    assert!(long.reply().starts_with("500 5.5.2 "));
    assert!(silent.reply().starts_with("421 4.4.2 "));

    let mut rest = Vec::new();
    silent.0.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}

#[test]
fn a_server_with_open_connections_stops_and_lets_go_of_its_store() {
    let server = TestServer::on_disk_with(|settings| settings.smtp.listen = "127.0.0.1:0".into());
    let me = server.account("a");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());

    assert!(client.mail(&[&id], MESSAGE).starts_with("250 "));
    client.say("MAIL FROM:<a@x>");
    let server = server.restart();

    assert_eq!(
        alerts(&server.account("a")).len(),
        1,
        "what was taken is there"
    );
}

#[test]
fn bytes_of_any_kind_are_answered_or_hung_up_on() {
    let server = start();
    let me = server.account("a");
    let id = integration(&me, "email");
    let garbage = (0..4_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect::<Vec<_>>();

    for start in 0..8 {
        let mut client = Client::greeted(server.mail_address());
        // The server may have hung up by then.
        let _hung_up = client.0.get_mut().write_all(&garbage[start * 100..]);
        let _hung_up = client.0.get_mut().write_all(b"\r\n");
        let mut client = Client::greeted(server.mail_address());
        client.say("MAIL FROM:<a@x>");
        client.say(&format!("RCPT TO:<{id}@x>"));
        client.say("DATA");
        client.send(&garbage[start * 100..]);
        assert!(client.say("\r\n.").starts_with("250 "));
    }

    assert!(!alerts(&me).is_empty());
}
