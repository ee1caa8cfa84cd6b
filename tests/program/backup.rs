//! `backup`: the whole store as of one commit, while the server runs or not.

use super::moving::{backup, exported, is_sound, restored, store_with_a_history, succeeded};
use crate::support::{Client, Setup, integration};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

#[test]
fn a_backup_of_a_stopped_server_brings_everything_back() {
    let setup = store_with_a_history();
    let server = setup.start();
    let once = server.client("ops").with_header("idempotency-key", "once");
    let answer = once.create("remembered");
    let login = json!({ "username": "alice", "password": "x" });
    let token = server.client("").post("/public/login", &login).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mine = server.client(&token).create("mine");
    server.stop();
    succeeded(&backup(&setup, "all.backup"));
    assert_eq!(
        fs::metadata(setup.path("all.backup"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600,
        "it has secrets"
    );
    assert!(!setup.path("all.backup.partial").exists());

    let new = restored(&setup, "all.backup");
    assert_eq!(exported(&new), exported(&setup));
    let server = new.start();
    let once = server.client("ops").with_header("idempotency-key", "once");

    assert_eq!(once.create("remembered"), answer);
    assert_eq!(
        server.client(&token).get("/integration").json()["data"][0],
        mine,
        "the token is still good"
    );
    assert_eq!(server.client("nothing left").create("second")["tinyId"], 2);
    server.stop();
    is_sound(&new);
}

#[test]
fn a_backup_of_a_running_server_is_one_moment_amidst_the_writes() {
    let setup = store_with_a_history();
    let server = setup.start();
    let acknowledged = Mutex::new(Vec::new());
    let enough = AtomicBool::new(false);
    let done = thread::scope(|scope| {
        for writer in 0..4 {
            let client = server.client(&format!("writer {}", writer % 2));
            let (acknowledged, enough) = (&acknowledged, &enough);
            scope.spawn(move || write_until(enough, &client, acknowledged));
        }

        while acknowledged.lock().unwrap().len() < 200 {
            thread::yield_now();
        }

        let rounds = ["0.backup", "1.backup", "2.backup"];
        let done = rounds.map(|name| (acknowledged.lock().unwrap().clone(), backup(&setup, name)));
        enough.store(true, Ordering::SeqCst);

        done
    });

    done.iter().for_each(|(_, outcome)| succeeded(outcome));
    let [_, _, (before, _)] = done;
    let after = acknowledged.into_inner().unwrap();

    assert!(after.len() > before.len(), "writes went on");
    server.stop();
    for round in 0..2 {
        restored(&setup, &format!("{round}.backup"));
    }

    let text = exported(&restored(&setup, "2.backup"));
    for line in before {
        assert!(
            text.contains(&line),
            "acknowledged before the backup began, and not in it: {line}"
        );
    }
}

/// Creates, changes and deletes; notes what stays.
fn write_until(enough: &AtomicBool, client: &Client, acknowledged: &Mutex<Vec<String>>) {
    while !enough.load(Ordering::SeqCst) {
        let stays = client.post("/integration", &integration("stays")).text();
        acknowledged.lock().unwrap().push(stays);
        let goes = client.create("goes");
        let path = format!("/integration/{}", goes["id"].as_str().unwrap());
        client.put(&path, &json!({ "name": "goes soon" }));
        client.delete(&path);
    }
}

#[test]
fn a_running_server_is_exported_as_a_stopped_one() {
    let setup = store_with_a_history();
    let stopped = exported(&setup);
    let server = setup.start();
    assert_eq!(exported(&setup), stopped);
    succeeded(&setup.same_folder().args(["export", "all.jsonl"]).run());
    assert_eq!(
        fs::read_to_string(setup.path("all.jsonl")).unwrap(),
        stopped
    );
    server.stop();
}

/// Everything that was changed while somebody read slowly stayed in memory for them.
#[test]
fn whoever_takes_a_backup_slowly_is_given_up_once_much_was_changed() {
    let setup = Setup::new().config("[store]\nsnapshot_bytes = 4194304\n");
    let server = setup.start();
    let client = server.client("ops");
    let large = |letter: &str| {
        let mut body = integration("large");
        body["meta"] = json!({ "filling": letter.repeat(1_000_000) });
        body
    };

    // More than the system takes for a connection that nobody reads.
    let made: Vec<_> = (0..24)
        .map(|_| client.post("/integration", &large("a")).json())
        .collect();

    let path = format!("/integration/{}", made[0]["id"].as_str().unwrap());
    let running: Value =
        serde_json::from_slice(&fs::read(setup.path("data/running")).unwrap()).unwrap();
    let (address, token) = (server.address, running["token"].as_str().unwrap());
    let mut slow = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /_local/backup HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    slow.write_all(request.as_bytes()).unwrap();
    slow.read_exact(&mut [0; 100]).unwrap();
    let kept = || {
        let metrics = client.get("/metrics").text();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("pagertree_local_store_snapshot_bytes "));
        line.unwrap().parse::<u64>().unwrap()
    };

    let mut most = 0;
    for number in 0..8 {
        assert_eq!(
            client
                .put(&path, &large(if number % 2 == 0 { "b" } else { "c" }))
                .status,
            200
        );
        most = most.max(kept());
    }

    assert!(
        most > 1_000_000,
        "what the slow one would need was kept: {most}"
    );

    let line = server.log.wait_for("Could not send the whole store");

    assert!(line.contains("store.snapshot_bytes"), "{line}");
    assert!(
        most < 6_000_000 && kept() < 1_000_000,
        "{most} and now {}",
        kept()
    );
    succeeded(&backup(&setup, "all.backup"));
    server.stop();
    restored(&setup, "all.backup");
}
