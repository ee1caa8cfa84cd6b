//! The order in which webhooks are sent: of one integration what happened first, and nobody waits
//! for a receiver of somebody else; and that there is an end.

use crate::{
    callers::id,
    receiver::{Receiver, alert, logs, sender, step},
    server::TestServer,
};
use serde_json::json;
use std::net::TcpListener;

#[test]
fn later_message_waits_for_a_failed_one() {
    let server = TestServer::at(1_700_000_000_000);
    let receiver = Receiver::answering(&[500, 503, 200]);
    let account = server.account("ops");

    sender(&account, json!({"url": receiver.url()}));
    let created = alert(&account, "first");
    step(&account, &created, "acknowledge");
    step(&account, &created, "resolve");
    assert_eq!(receiver.next().json()["type"], "alert.created");

    for attempt in 1..=2 {
        logs(&account, attempt);
        server
            .clock
            .set(1_700_000_000_000 + i64::try_from(attempt).unwrap() * 60_000);
        assert_eq!(receiver.next().json()["type"], "alert.created");
    }

    assert_eq!(receiver.next().json()["type"], "alert.acknowledged");
    assert_eq!(receiver.next().json()["type"], "alert.resolved");
    let events: Vec<_> = logs(&account, 5)
        .iter()
        .map(|log| log["action"].clone())
        .collect();
    let expected = [
        "alert.created",
        "alert.created",
        "alert.created",
        "alert.acknowledged",
        "alert.resolved",
    ];
    assert_eq!(events, expected);
}

#[test]
fn clock_set_back_does_not_delay_delivery() {
    let server = TestServer::at(1_700_000_000_000);
    let receiver = Receiver::answering(&[500, 200]);
    let account = server.account("ops");
    sender(&account, json!({"url": receiver.url()}));
    alert(&account, "first");
    receiver.next();
    logs(&account, 1);
    server.clock.set(1_600_000_000_000);
    assert_eq!(receiver.next().json()["data"]["title"], "first");
}

#[test]
fn later_message_is_sent_after_the_last_retry() {
    let server = TestServer::with(|settings| settings.outgoing.attempts = 1);
    let receiver = Receiver::answering(&[500, 200]);
    let account = server.account("ops");
    sender(&account, json!({"url": receiver.url()}));
    let created = alert(&account, "first");
    step(&account, &created, "resolve");
    assert_eq!(receiver.next().json()["type"], "alert.created");
    assert_eq!(receiver.next().json()["type"], "alert.resolved");
}

#[test]
fn hanging_receivers_do_not_delay_other_accounts() {
    let server = TestServer::with(|settings| settings.outgoing.timeout_seconds = 300);
    // Connections are taken by the system, and nobody ever answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();

    let slow = server.account("slow");
    for _ in 0..40 {
        sender(
            &slow,
            json!({"url": format!("http://{}/", hanging.local_addr().unwrap())}),
        );
    }

    for number in 0..30 {
        alert(&slow, &number.to_string());
    }

    let (fast, receiver) = (server.account("fast"), Receiver::answering(&[200]));
    sender(&fast, json!({"url": receiver.url()}));
    alert(&fast, "at once");
    assert_eq!(receiver.next().json()["data"]["title"], "at once");
    assert!(logs(&slow, 0).is_empty());
}

#[test]
fn full_outbox_drops_its_oldest_messages() {
    let server = TestServer::at_with(1_700_000_000_000, |settings| settings.outgoing.queue = 3);
    let receiver = Receiver::answering(&[500, 200]);
    let account = server.account("ops");

    sender(&account, json!({"url": receiver.url()}));
    alert(&account, "0");
    receiver.next();
    logs(&account, 1);
    (1..=5).for_each(|number| drop(alert(&account, &number.to_string())));

    let given_up =
        "not sent: the outbox was full (outgoing.queue), and this message was the oldest";
    for log in &logs(&account, 4)[1..] {
        assert_eq!(log["outcome"], given_up);
    }

    server.clock.set(1_700_000_060_000);
    for number in 3..=5 {
        assert_eq!(receiver.next().json()["data"]["title"], number.to_string());
    }
}

/// Without an end, some hundred alerts came of it each second.
#[test]
fn webhook_loop_is_stopped() {
    let server = TestServer::start();
    let account = server.account("ops");
    // Whatever it is told, it makes an alert.
    let source =
        account.created_from(json!({"name": "in", "type": "cloudflare", "destination_ids": []}));
    sender(
        &account,
        json!({"url": format!("http://{}/integration/{}", server.address, id(&source))}),
    );
    alert(&account, "first");
    let outcomes: Vec<_> = logs(&account, 4)
        .iter()
        .map(|log| log["outcome"].clone())
        .collect();
    let taken = "delivered on attempt 1 (HTTP 200)";
    let end = "not sent: webhook loop detected (3 hops)";
    assert_eq!(outcomes, [taken, taken, taken, end]);
    assert_eq!(account.send("GET", "/alert", None).json()["total_count"], 4);
    let events = account.send("GET", "/log?type=incoming", None).json();
    let hops: Vec<_> = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| &log["request"]["headers"]["pagertree-local-hops"])
        .collect();
    assert_eq!(hops, ["1", "2", "3"]);
}

/// A circle through two servers: each counts its own webhooks and passes on what the other counted.
#[test]
fn webhook_loop_through_two_servers_is_stopped() {
    let servers = [TestServer::start(), TestServer::start()];
    let accounts = servers.each_ref().map(|server| server.account("ops"));
    let sources = accounts.each_ref().map(|account| {
        account.created_from(json!({"name": "in", "type": "cloudflare", "destination_ids": []}))
    });

    for (from, to) in [(0, 1), (1, 0)] {
        let url = format!(
            "http://{}/integration/{}",
            servers[to].address,
            id(&sources[to])
        );
        sender(&accounts[from], json!({ "url": url }));
    }

    alert(&accounts[0], "first");
    let outcomes: Vec<_> = logs(&accounts[0], 4)
        .iter()
        .map(|log| log["outcome"].clone())
        .collect();
    let taken = "delivered on attempt 1 (HTTP 200)";
    let end = "not sent: webhook loop detected (3 hops)";

    assert_eq!(outcomes, [taken, taken, taken, end]);
}

/// Who sends an event could say that it came of three webhooks already, and nobody was told of its
/// alert.
#[test]
fn forged_hop_trail_does_not_suppress_webhooks() {
    let (server, receiver) = (TestServer::start(), Receiver::answering(&[200]));
    let account = server.account("ops");
    let source =
        account.created_from(json!({"name": "in", "type": "cloudflare", "destination_ids": []}));

    sender(&account, json!({"url": receiver.url()}));
    let forged = server.anonymous().with("pagertree-local-hops", "3").with(
        "pagertree-local-trail",
        "3.AAAAAAAAAAAAAAAAAAAAAA, 3.bm9ib2R5",
    );

    forged
        .send(
            "POST",
            &format!("/integration/{}", id(&source)),
            Some(r#"{"text": "disk"}"#),
        )
        .assert_status(200);

    let received = receiver.next();
    assert_eq!(received.json()["data"]["title"], "disk");
    assert_eq!(received.header("pagertree-local-hops"), Some("1"));
}
