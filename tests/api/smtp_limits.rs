//! Limits of the mail server: sizes, rates, connections, hostile input.

use crate::{
    server::TestServer,
    smtp::{Client, MESSAGE, alerts, integration, start, start_with},
};
use std::io::{Read, Write};

#[test]
fn a_large_message_is_rejected_and_the_next_one_accepted() {
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
fn commands_may_be_pipelined_or_split_into_bytes() {
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
fn mail_is_rate_limited() {
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
fn a_repeated_message_reaches_only_the_remaining_recipients() {
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
fn connections_are_limited() {
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
fn idle_and_misbehaving_connections_are_closed() {
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
fn the_server_stops_despite_open_connections() {
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
fn arbitrary_bytes_are_answered_or_disconnected() {
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
