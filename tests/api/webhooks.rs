//! Webhooks: alert events are delivered signed, in order, with retries, and logged.

use crate::{
    callers::id,
    health::metric,
    receiver::{Receiver, alert, log_outcomes, logs, receive, sender, step},
    server::TestServer,
};
use serde_json::{Value, json};
use std::{
    io::{BufReader, Write},
    net::TcpListener,
    thread,
};

#[test]
fn alert_events_are_delivered_in_order() {
    let (server, receiver) = (TestServer::start(), Receiver::answering(&[204]));
    let account = server.account("ops");
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let options =
        json!({"url": receiver.url(), "username": "me", "password": "pass", "secret": secret});
    let integration = sender(&account, options);
    let created = alert(&account, "It broke");
    let acknowledged = step(&account, &created, "acknowledge");
    let resolved = step(&account, &created, "resolve");
    step(&account, &created, "archive");
    let mut ids = Vec::new();

    for (event, data) in [
        ("alert.created", &created),
        ("alert.acknowledged", &acknowledged),
        ("alert.resolved", &resolved),
    ] {
        let received = receiver.next();
        assert_eq!(received.json(), json!({"type": event, "data": data}));
        assert_eq!(received.header("content-type"), Some("application/json"));
        assert_eq!(received.header("authorization"), Some("Basic bWU6cGFzcw=="));
        assert_eq!(received.header("pagertree-local-hops"), Some("1"));
        assert!(
            received
                .header("user-agent")
                .unwrap()
                .starts_with("pagertree-local/")
        );
        assert!(
            received
                .header("webhook-signature")
                .unwrap()
                .starts_with("v1,")
        );
        assert!(
            received
                .header("webhook-timestamp")
                .unwrap()
                .parse::<u64>()
                .unwrap()
                > 1_700_000_000
        );
        ids.push(received.header("webhook-id").unwrap().to_owned());
    }

    ids.dedup();
    assert_eq!(ids.len(), 3);
    let logs = logs(&account, 3);
    let log = &logs[0];

    assert_eq!(
        (&log["action"], &log["outcome"]),
        (
            &json!("alert.created"),
            &json!("delivered on attempt 1 (HTTP 204)")
        )
    );
    assert_eq!(
        (&log["source_id"], &log["alert_id"]),
        (&integration["id"], &created["id"])
    );
    assert_eq!(
        (&log["status"], &log["request"]["path"]),
        (&json!(204), &json!(receiver.url()))
    );
    assert_eq!(log["request"]["headers"]["authorization"], "***");
    assert_eq!(log["request"]["headers"]["webhook-signature"], "***");
    assert_eq!(log["response"]["headers"]["x-token"], "***");
}

#[test]
fn webhook_log_names_the_alert_and_masks_url_credentials() {
    let (server, receiver) = (TestServer::start(), Receiver::answering(&[200]));
    let account = server.account("ops");
    sender(
        &account,
        json!({"url": format!("http://me:pass@{}/hook?team=a&token=t", receiver.address)}),
    );

    let body = json!({"title": "x", "destination_ids": [], "thirdparty_id": "job-7"}).to_string();
    account
        .send("POST", "/alert", Some(&body))
        .assert_status(200);
    receiver.next();

    let log = &logs(&account, 1)[0];
    assert_eq!(
        (&log["thirdparty_id"], &log["status"]),
        (&json!("job-7"), &json!(200))
    );

    let (path, query) = (
        format!("http://***@{}/hook", receiver.address),
        "team=a&token=***",
    );

    assert_eq!(
        (&log["request"]["path"], &log["request"]["query"]),
        (&json!(path), &json!(query))
    );
}

#[test]
fn unselected_events_are_not_delivered() {
    let (server, receiver) = (TestServer::start(), Receiver::answering(&[200]));
    let account = server.account("ops");
    let integration = sender(
        &account,
        json!({"webhook_url": receiver.url(), "alert_resolved": true}),
    );

    sender(&server.account("others"), json!({"url": receiver.url()}));
    let first = alert(&account, "first");
    step(&account, &first, "resolve");
    assert_eq!(receiver.next().json()["type"], "alert.resolved");
    account
        .update(id(&integration), json!({"enabled": false}))
        .assert_status(200);
    step(&account, &alert(&account, "second"), "resolve");
    account
        .update(id(&integration), json!({"enabled": true}))
        .assert_status(200);
    step(&account, &alert(&account, "third"), "resolve");
    assert_eq!(receiver.next().json()["data"]["title"], "third");
    account.delete(id(&integration)).assert_status(204);
    step(&account, &alert(&account, "fourth"), "resolve");
    assert_eq!(logs(&account, 2).len(), 2);
}

#[test]
fn failed_delivery_is_retried_until_the_limit() {
    let server = TestServer::at_with(1_700_000_000_000, |settings| settings.outgoing.attempts = 3);
    let receiver = Receiver::answering(&[500, 302, 404, 200]);
    let account = server.account("ops");

    sender(
        &account,
        json!({"url": receiver.url(), "events": ["alert.created"]}),
    );
    alert(&account, "first");

    let first = receiver.next();
    let mut seconds = 1_700_000_000;
    for attempt in 2..=3 {
        logs(&account, attempt - 1);
        seconds += 60;
        server.clock.set(seconds * 1000);

        let again = receiver.next();
        assert_eq!(
            (again.body.as_str(), again.header("webhook-id")),
            (first.body.as_str(), first.header("webhook-id"))
        );
        assert_eq!(
            again.header("webhook-timestamp"),
            Some(seconds.to_string().as_str())
        );
    }

    let outcomes: Vec<_> = logs(&account, 3)
        .iter()
        .map(|log| log["outcome"].clone())
        .collect();
    let expected = [
        "failed on attempt 1 (HTTP 500); will be retried",
        "failed on attempt 2 (HTTP 302); will be retried",
        "failed on attempt 3 (HTTP 404); no more retries",
    ];
    assert_eq!(outcomes, expected);
    server.clock.set(1_800_000_000_000);
    alert(&account, "second");
    assert_eq!(receiver.next().json()["data"]["title"], "second");
}

#[test]
fn undelivered_message_is_sent_after_a_restart() {
    let server = TestServer::on_disk_with(|settings| settings.outgoing.first_retry_seconds = 1);
    let account = server.account("ops");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();

    drop(listener);
    sender(&account, json!({"url": format!("http://{address}/")}));
    alert(&account, "kept");

    let log = loop {
        let list = account.send("GET", "/log?type=outgoing", None).json();
        if list["total_count"] != 0 {
            break list["data"][0].clone();
        }
        thread::yield_now();
    };

    assert!(
        log["outcome"]
            .as_str()
            .unwrap()
            .starts_with("failed on attempt 1: "),
        "{log:#}"
    );
    assert_eq!(
        (&log["status"], &log["response"]),
        (&Value::Null, &Value::Null)
    );
    let server = server.restart();
    let account = server.account("ops");
    let listener = TcpListener::bind(address).unwrap();
    let mut stream = BufReader::new(listener.accept().unwrap().0);
    assert_eq!(
        receive(&mut stream).unwrap().json()["data"]["title"],
        "kept"
    );
    stream
        .get_mut()
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .unwrap();

    while !log_outcomes(&account)
        .iter()
        .any(|outcome| outcome.starts_with("delivered on attempt "))
    {
        thread::yield_now();
    }
}

#[test]
fn large_fan_out_is_delivered_in_order_over_several_commits() {
    const MANY: usize = 10;
    let (server, receiver) = (TestServer::start(), Receiver::answering(&[200]));
    let account = server.account("ops");

    for number in 0..MANY {
        sender(
            &account,
            json!({"url": format!("{}/{number}", receiver.url())}),
        );
    }

    let deaf = sender(&account, json!({"url": receiver.url(), "events": []}));
    let filling = "x".repeat(200_000);
    let body =
        json!({"title": "large", "destination_ids": [], "meta": {"filling": filling}}).to_string();
    let writes = || metric(&server, "pagertree_local_store_writes_total").unwrap();
    let before = writes();
    let created = account
        .send("POST", "/alert", Some(&body))
        .assert_status(200)
        .json();
    step(&account, &created, "resolve");
    let mut told: Vec<_> = (0..2 * MANY).map(|_| receiver.next()).collect();
    told.sort_by_key(|received| received.header("webhook-id").unwrap().to_owned());

    for (event, number) in [("alert.created", 0), ("alert.resolved", 1)] {
        let of_event = told
            .iter()
            .filter(|received| received.json()["type"] == event);
        let ids: std::collections::BTreeSet<_> = of_event
            .map(|received| received.header("webhook-id"))
            .collect();
        assert_eq!(ids.len(), MANY, "{event} {number}");
    }

    assert!(
        told.iter()
            .all(|received| received.json()["data"]["meta"]["filling"] == filling.as_str())
    );

    let logs = logs(&account, 2 * MANY);
    for number in 0..MANY {
        let path = format!("{}/{number}", receiver.url());
        let of_one = logs
            .iter()
            .filter(|log| log["request"]["path"] == path.as_str());
        let actions: Vec<_> = of_one.map(|log| log["action"].as_str().unwrap()).collect();
        assert_eq!(actions.len(), 2, "{path}");
    }

    assert!(logs.iter().all(|log| log["source_id"] != deaf["id"]));
    // Two changes, one for each attempt, and one for two copies at most.
    assert!(
        writes() - before >= (2 + 2 * MANY + MANY) as f64,
        "{} writes",
        writes() - before
    );
}

/// Whatever could not be read was tried again for ever, or failed each event of the account.
#[test]
fn damaged_message_is_dropped_and_others_are_delivered() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let receiver = Receiver::answering(&[200]);
    let server = TestServer::on_disk_with(|settings| settings.outgoing.first_retry_seconds = 1);
    let account = server.account("ops");

    // Five, since four that hold their turn stopped an account.
    let waiting = [0, 1, 2, 3, 4].map(|number| {
        sender(
            &account,
            json!({"url": format!("http://{closed}/{number}")}),
        )
    });

    let heard = sender(&account, json!({"url": receiver.url()}));
    let unreadable = sender(&account, json!({"url": receiver.url(), "events": []}));
    alert(&account, "first");
    assert_eq!(receiver.next().json()["data"]["title"], "first");
    logs(&account, 6);

    let sid = heard["sid"].as_str().unwrap().to_owned();
    let server = server.restart_after(|store| {
        let db = sled::Config::new()
            .path(store)
            .segment_size(8 << 20)
            .open()
            .unwrap();
        let (deliveries, queues) = (
            db.open_tree("deliveries").unwrap(),
            db.open_tree("queues").unwrap(),
        );

        for (number, integration) in waiting.iter().enumerate() {
            let name = format!("{sid}\0{}", id(integration));
            let first = [name.as_bytes(), b"\0", &[0; 8]].concat();
            match number {
                0 => drop(deliveries.remove(first).unwrap().expect("it waits")),
                4 => drop(
                    queues
                        .insert(name, &b"short"[..])
                        .unwrap()
                        .expect("it waits"),
                ),
                _ => drop(
                    deliveries
                        .insert(first, &b"{}"[..])
                        .unwrap()
                        .expect("it waits"),
                ),
            }
        }

        let records = db.open_tree("integrations").unwrap();
        let planted = format!(r#"{{"sid":"{sid}","id":"#);
        records
            .insert(id(&unreadable), planted.as_bytes())
            .unwrap()
            .expect("the record is there");
        db.flush().unwrap();
    });

    let account = server.account("ops");
    alert(&account, "second");
    assert_eq!(receiver.next().json()["data"]["title"], "second");

    let given_up = "not sent: the message cannot be read because the store is damaged";
    while log_outcomes(&account)
        .iter()
        .filter(|outcome| *outcome == given_up)
        .count()
        < 4
    {
        thread::yield_now();
    }
}
