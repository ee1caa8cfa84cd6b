//! Data that a reader has seen survives a kill at that very moment, even if its writer has not been
//! answered yet.

use crate::support::{Client, Server, Setup};
use serde_json::json;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

const ROUNDS: usize = 12;

/// Maximum number of writes that the reader waits for.
const WRITES: u64 = 150;

fn version(client: &Client, path: &str) -> u64 {
    client.get(path).json()["meta"]["version"].as_u64().unwrap()
}

/// Writes one version after another until the reader kills the server. Returns the last version
/// that the reader saw, and whether that was before its writer was answered.
fn shown_at_the_kill(server: Server, path: &str) -> (u64, bool) {
    let (writer, reader) = (server.client("t"), server.client("t"));
    let first = version(&reader, path);
    let acknowledged = AtomicU64::new(first);

    thread::scope(|scope| {
        let acknowledged = &acknowledged;
        scope.spawn(move || {
            for version in first + 1.. {
                let change =
                    json!({ "meta": { "version": version, "filling": "x".repeat(20_000) } });
                let Ok(answer) = writer.try_call("PUT", path, Some(&change)) else {
                    break;
                };
                assert_eq!(answer.status, 200, "{}", answer.text());
                acknowledged.store(version, Ordering::SeqCst);
            }
        });

        loop {
            let shown = version(&reader, path);
            let known = acknowledged.load(Ordering::SeqCst);
            if shown > known || known > first + WRITES {
                server.kill();
                return (shown, shown > known);
            }
        }
    })
}

#[test]
fn data_shown_before_its_acknowledgement_survives_a_kill() {
    let setup = Setup::new();
    let server = setup.start();
    let body =
        json!({ "name": "x", "type": "email", "destination_ids": [], "meta": { "version": 0 } });
    let created = server.client("t").post("/integration", &body).json();
    let path = format!("/integration/{}", created["id"].as_str().unwrap());

    server.stop();
    let mut early = 0;
    for _ in 0..ROUNDS {
        let (shown, is_early) = shown_at_the_kill(setup.start(), &path);
        let server = setup.start();
        let found = version(&server.client("t"), &path);
        assert!(
            found >= shown,
            "version {shown} was shown, and now it is {found}"
        );
        server.kill();
        early += u32::from(is_early);
    }

    println!("{early} of {ROUNDS} kills came before the writer heard what the reader was shown");
    assert!(
        early > 0,
        "no reader was shown anything before its writer heard of it, so nothing was tried"
    );
}
