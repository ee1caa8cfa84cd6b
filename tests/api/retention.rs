//! What is old goes: alerts that are over, logs, and whatever is beyond the number that is kept of
//! an account.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use pagertree_local::config::RetentionSettings;
use serde_json::json;
use std::thread;

const DAY: i64 = 86_400_000;
const KEEP_ALL: RetentionSettings = RetentionSettings {
    alerts: 0,
    alert_days: 0,
    logs: 0,
    log_days: 0,
    sweep_seconds: 1,
};

fn server(retention: RetentionSettings) -> TestServer {
    TestServer::at_with(100 * DAY, |settings| settings.retention = retention)
}

fn send(server: &TestServer, integration: &str, kind: &str, thirdparty_id: usize) {
    let event =
        json!({"event_type": kind, "id": thirdparty_id, "title": thirdparty_id.to_string()})
            .to_string();
    server
        .anonymous()
        .send("POST", &format!("/integration/{integration}"), Some(&event))
        .assert_status(200);
}

fn integration(account: &Caller) -> String {
    id(&account.created_from(json!({"name": "n", "type": "webhook", "destination_ids": []})))
        .to_owned()
}

fn total(account: &Caller, path: &str) -> u64 {
    account.send("GET", path, None).assert_status(200).json()["total_count"]
        .as_u64()
        .unwrap()
}

/// Waits for the next look at what is to go, of which nobody tells.
fn wait_until(account: &Caller, path: &str, count: u64) {
    while total(account, path) != count {
        thread::yield_now();
    }
}

#[test]
fn excess_logs_and_alerts_are_removed() {
    let server = server(RetentionSettings {
        alerts: 3,
        logs: 5,
        ..KEEP_ALL
    });

    let (account, other) = (server.account("ops"), server.account("somebody else"));
    let (mine, theirs) = (integration(&account), integration(&other));
    for number in 0..200 {
        send(&server, &mine, "create", number);
    }

    for number in 0..3 {
        send(&server, &theirs, "create", number);
    }

    wait_until(&account, "/alert", 3);
    wait_until(&account, "/log", 5);
    let kept = account.send("GET", "/alert?select=title", None).json();

    assert_eq!(
        kept["data"],
        json!([{"title": "197"}, {"title": "198"}, {"title": "199"}])
    );
    assert_eq!((total(&other, "/alert"), total(&other, "/log")), (3, 3));
    send(&server, &mine, "resolve", 0);

    let log = account
        .send("GET", "/log?sort=-tinyId&limit=1", None)
        .json();

    assert_eq!(
        log["data"][0]["outcome"],
        "there is no alert with this id to be resolved"
    );
    assert_eq!(log["data"][0]["tinyId"], 201, "numbers go on");
}

#[test]
fn old_alerts_are_removed_unless_active() {
    let server = server(RetentionSettings {
        alert_days: 10,
        log_days: 5,
        ..KEEP_ALL
    });

    let account = server.account("ops");
    let integration = integration(&account);
    for number in 0..4 {
        send(&server, &integration, "create", number);
    }

    send(&server, &integration, "resolve", 1);
    send(&server, &integration, "resolve", 3);
    server.clock.set(106 * DAY);
    wait_until(&account, "/log", 0);
    assert_eq!(total(&account, "/alert"), 4);
    send(&server, &integration, "create", 4);
    server.clock.set(110 * DAY);
    wait_until(&account, "/alert", 3);
    let kept = account
        .send("GET", "/alert?select=title,status", None)
        .json();
    let titles: Vec<_> = kept["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["title"].clone())
        .collect();
    assert_eq!(titles, [json!("0"), json!("2"), json!("4")]);
    assert_eq!(total(&account, "/log"), 1);
}

/// The walk ended at the first log that was not old, so that one of a day to come kept all behind
/// it.
#[test]
fn future_timestamps_do_not_block_retention() {
    let server = server(RetentionSettings {
        log_days: 5,
        ..KEEP_ALL
    });

    let account = server.account("ops");
    let integration = integration(&account);
    server.clock.set(500 * DAY);
    send(&server, &integration, "create", 1);
    server.clock.set(100 * DAY);
    send(&server, &integration, "create", 2);
    send(&server, &integration, "create", 3);
    server.clock.set(106 * DAY);
    wait_until(&account, "/log", 1);
    let kept = account
        .send("GET", "/log?select=thirdparty_id", None)
        .json();
    assert_eq!(kept["data"], json!([{"thirdparty_id": "1"}]));
}

/// One damaged account ended the sweep for all behind it, and for all logs.
#[test]
fn damaged_records_do_not_block_retention() {
    const ONCE: u64 = 86_400;
    let server = TestServer::on_disk_with(|settings| {
        settings.retention = RetentionSettings {
            alerts: 2,
            logs: 2,
            sweep_seconds: ONCE,
            ..KEEP_ALL
        };
    });

    let accounts = ["a", "b", "c", "d"];
    for name in accounts {
        let integration = integration(&server.account(name));
        for number in 0..5 {
            send(&server, &integration, "create", number);
        }
    }

    let oldest = |name: &str, path: &str| {
        let list = server
            .account(name)
            .send("GET", &format!("{path}?sort=tinyId&limit=1"), None)
            .json();
        (
            list["data"][0]["sid"].as_str().unwrap().to_owned(),
            id(&list["data"][0]).to_owned(),
        )
    };

    let (missing, senseless, uncounted) = (
        oldest("a", "/alert"),
        oldest("b", "/alert"),
        oldest("c", "/alert"),
    );
    let server = server.restart_after(|store| {
        let db = sled::Config::new()
            .path(store)
            .segment_size(8 << 20)
            .open()
            .unwrap();
        let (alerts, counters) = (
            db.open_tree("alerts").unwrap(),
            db.open_tree("accounts").unwrap(),
        );
        alerts
            .remove(&missing.1)
            .unwrap()
            .expect("the record is there");
        alerts
            .insert(&senseless.1, &b"{}"[..])
            .unwrap()
            .expect("the record is there");
        counters
            .insert(format!("{}\0alerts", uncounted.0), &b"short"[..])
            .unwrap()
            .expect("they are there");
        db.flush().unwrap();
    });

    for name in accounts {
        wait_until(&server.account(name), "/log", 2);
    }

    wait_until(&server.account("d"), "/alert", 2);
    // Of those before the newest two, what can be read.
    for name in ["a", "b"] {
        wait_until(&server.account(name), "/alert?limit=1&offset=1", 3);
    }
}
