//! Disks that fail for a while. The server returns nothing wrong meanwhile, and recovers by itself
//! afterwards.
//!
//! Writes acknowledged before the fault must exist after it, byte for byte; a refused write may
//! have happened or not. What the server does to its files during recovery must withstand a power
//! cut like everything else.

use super::{
    chance::Chance,
    disk::Disk,
    image::Image,
    shim::{Fault, Shim},
    trace,
};
use crate::support::{Client, Response, Setup, integration, workload::Listing};
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    time::{Duration, Instant},
};

/// Far longer than recovery takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Acknowledged objects by id, as JSON text.
pub(crate) type Acknowledged = BTreeMap<String, String>;

#[test]
fn a_server_recovers_after_failing_syncs() {
    heals_after(Fault::EioSync);
}

#[test]
fn a_server_recovers_after_a_full_disk() {
    heals_after(Fault::Enospc);
}

#[test]
fn a_server_recovers_after_a_read_only_disk() {
    heals_after(Fault::Erofs);
}

/// With an existing store and with a new one.
#[test]
fn a_start_on_a_full_disk_reports_it() {
    for is_there in [true, false] {
        let shim = Shim::new();
        let setup = shim.around(Setup::new());
        if is_there {
            let server = setup.start();
            create(&server.client("t"), "there", 10);
            server.stop();
        }

        shim.fail(Fault::Enospc);
        let outcome = setup.run();
        let fault = outcome.error();

        assert!(
            fault.contains("No space left on device") && fault.contains("make room"),
            "{fault}"
        );
        shim.work();
        setup.start().stop();
    }
}

/// The old store used to be removed although a power cut could have brought it back under its name.
#[test]
fn a_replaced_store_is_kept_until_the_new_name_is_durable() {
    let shim = Shim::new();
    let setup = shim.around(Setup::new());
    let server = setup.start();
    let acknowledged: Acknowledged = (0..5)
        .map(|number| create(&server.client("t"), &format!("{number}"), 10))
        .collect();

    server.stop();
    shim.fail(Fault::EioExchanged);
    let compact = shim.around(setup.same_folder().args(["compact"]));
    let outcome = compact.run();

    // It said that nothing was changed.
    let fault = outcome.error();
    assert!(
        fault.contains("the new store is in place, but 'data' cannot be synced"),
        "{fault}"
    );
    assert!(
        fault.contains("the old store stays in 'data/store.new'"),
        "{fault}"
    );
    let (store, old) = (compact.path("data/store"), compact.path("data/store.new"));
    assert!(old.join("db").exists(), "the old store");
    is_sound(&compact);

    // As if the exchange had not come to the disk.
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::rename(&old, &store).unwrap();
    is_sound(&compact);
    shim.work();

    let server = compact
        .same_folder()
        .args(["--listen", "127.0.0.1:0"])
        .start();

    are_there(&server.client("t"), &acknowledged);
}

/// The client used to keep the store open until it timed out after half a minute, which delayed
/// recovery.
#[test]
fn a_slow_backup_client_does_not_prevent_recovery() {
    let shim = Shim::new();
    let setup = shim.around(Setup::new());
    let server = setup.start();
    let client = server.client("t");

    // More than the system takes for a connection that nobody reads.
    let acknowledged: Acknowledged = (0..24)
        .map(|number| create(&client, &format!("{number}"), 1_000_000))
        .collect();

    let mut slow = begin_backup(&setup, server.address);
    shim.fail(Fault::EioSync);
    is_refused(&client.post("/integration", &integration("refused")));
    server.log.wait_for("Could not send the whole store");
    shim.work();
    becomes_ready(&client);
    are_there(&client, &acknowledged);
    let sent = std::io::copy(&mut slow, &mut std::io::sink());
    assert!(
        sent.is_err() || sent.is_ok_and(|bytes| bytes < 24_000_000),
        "it is not whole"
    );
    let log = server.stop();
    let held = log
        .all()
        .into_iter()
        .filter(|line| line.contains("readers are still holding it"))
        .count();
    assert_eq!(held, 0, "{:#?}", log.all());
    is_sound(&setup);
}

/// Requests a backup like the command, and reads only its beginning.
fn begin_backup(setup: &Setup, address: std::net::SocketAddr) -> std::net::TcpStream {
    let running: serde_json::Value =
        serde_json::from_slice(&std::fs::read(setup.path("data/running")).unwrap()).unwrap();
    let token = running["token"].as_str().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /_local/backup HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.read_exact(&mut [0; 100]).unwrap();
    stream
}

#[track_caller]
fn heals_after(fault: Fault) {
    let shim = Shim::new();
    let setup = shim.around(Setup::new());
    let server = setup.start();
    let client = server.client("t");
    let (changed, deleted) = (
        create(&client, "to be changed", 10),
        create(&client, "to be deleted", 10),
    );
    let mut acknowledged: Acknowledged = (0..20)
        .map(|number| create(&client, &format!("number {number}"), number * number * 500))
        .collect();

    shim.fail(fault);
    for _attempt in 0..3 {
        is_refused(&client.post("/integration", &integration("refused")));
        is_refused(&client.put(
            &format!("/integration/{}", changed.0),
            &json!({ "name": "changed" }),
        ));
        is_refused(&client.delete(&format!("/integration/{}", deleted.0)));
        is_refused(&client.get("/readyz"));
        assert_eq!(client.get("/livez").status, 200);
        are_not_answered_wrongly(&client, &acknowledged);
    }

    shim.work();

    becomes_ready(&client);
    are_there(&client, &acknowledged);
    acknowledged.extend(["new", "newer"].map(|name| create(&client, name, 10)));
    are_there(&client, &acknowledged);

    let found = Listing::read(&client).objects;
    assert!(
        found.contains_key(&changed.0),
        "nobody asked to delete {}",
        changed.1
    );
    assert!(
        found
            .get(&deleted.0)
            .is_none_or(|object| *object == deleted.1),
        "nobody asked to change {}",
        deleted.1
    );

    // While the server runs: what it would do at its end does not count.
    survive_power_cuts(&shim, &acknowledged);
    server.stop();
    is_sound(&setup);

    let server = setup.start();
    are_there(&server.client("t"), &acknowledged);
    assert_eq!(
        Listing::read(&server.client("t")).objects,
        found,
        "what was refused does not change its mind"
    );
}

/// Creates an integration of this many bytes. Returns its id and JSON text.
#[track_caller]
pub(crate) fn create(client: &Client, name: &str, bytes: usize) -> (String, String) {
    let mut body = integration(name);
    body["meta"] = json!({ "filling": "x".repeat(bytes) });
    let answer = client.post("/integration", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    (
        answer.json()["id"].as_str().unwrap().to_owned(),
        answer.text(),
    )
}

#[track_caller]
pub(crate) fn is_refused(answer: &Response) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(!answer.messages().is_empty(), "{}", answer.text());
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
}

/// Each read returns the acknowledged bytes, or an error.
#[track_caller]
pub(crate) fn are_not_answered_wrongly(client: &Client, acknowledged: &Acknowledged) {
    for (id, object) in acknowledged {
        let answer = client.get(&format!("/integration/{id}"));
        if answer.status != 200 {
            is_refused(&answer);
            continue;
        }
        assert_eq!(answer.text(), *object);
    }
}

#[track_caller]
pub(crate) fn are_there(client: &Client, acknowledged: &Acknowledged) {
    for (id, object) in acknowledged {
        assert_eq!(client.get(&format!("/integration/{id}")).text(), *object);
    }
}

/// Retries until the server accepts writes.
#[track_caller]
pub(crate) fn becomes_ready(client: &Client) {
    let asked = Instant::now();
    while client.get("/readyz").status != 200 {
        assert!(
            asked.elapsed() < PATIENCE,
            "the fault is over, and the server does not heal"
        );
        std::thread::yield_now();
    }
}

pub(crate) fn is_sound(setup: &Setup) {
    let outcome = setup.same_folder().args(["check"]).run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
}

/// Cuts the power, and checks the data of a new server.
fn survive_power_cuts(shim: &Shim, acknowledged: &Acknowledged) {
    let trace = shim.trace();
    let mut disk = Disk::holding(&Image::default(), |_, _| true);
    trace::read(&trace)
        .iter()
        .for_each(|record| disk.happens(record));
    for seed in 0..5 {
        let setup = Setup::new();
        disk.left(&mut Chance::cut(seed)).write_to(&setup.path(""));
        is_sound(&setup);
        are_there(&setup.start().client("t"), acknowledged);
    }
}
