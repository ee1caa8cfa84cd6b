//! Disks that fail for a while when only readers notice: the server recovers all the same.
//!
//! With a small cache, reads make the engine write. After such a write has failed, the engine is
//! unusable, even once the fault is over.

use super::{
    faults::{
        Acknowledged, are_not_answered_wrongly, are_there, becomes_ready, create, is_refused,
        is_sound,
    },
    shim::{Fault, Shim},
};
use crate::support::{Setup, integration};

/// Little of the data fits into memory, and lists are not cached.
const SMALL_CACHE: &str = "[store]\ncache_bytes = 1048576\nlist_cache_bytes = 0\nindex_bytes = 0\n";

/// Maximum number of full reads before the engine has to write.
const ROUNDS: usize = 10;

#[test]
fn a_server_recovers_after_readers_meet_a_full_disk() {
    heals_after_reads_met(Fault::Enospc);
}

#[test]
fn a_server_recovers_after_readers_meet_a_read_only_disk() {
    heals_after_reads_met(Fault::Erofs);
}

#[track_caller]
fn heals_after_reads_met(fault: Fault) {
    let shim = Shim::new();
    let setup = shim.around(Setup::new().config(SMALL_CACHE));
    let server = setup.start();
    let client = server.client("t");
    let made: Vec<_> = (0..1_500)
        .map(|number| create(&client, &format!("number {number}"), 3_000))
        .collect();
    let acknowledged: Acknowledged = made.iter().cloned().collect();

    shim.fail(fault);
    // In the order in which they were made, which is none among their ids: so the engine finds
    // little in its cache.
    let again = made.iter().cycle().take(ROUNDS * made.len());

    let mut answers = again.map(|(id, _)| client.get(&format!("/integration/{id}")));
    is_refused(
        &answers
            .find(|answer| answer.status != 200)
            .expect("a read makes the engine write"),
    );
    is_refused(&client.get("/readyz"));
    is_refused(&client.post("/integration", &integration("refused")));
    are_not_answered_wrongly(&client, &acknowledged);
    server.log.wait_for("Commit failed");
    let log = server.log.all();
    assert!(
        !log.iter().any(|line| line.contains("A request failed")),
        "it is told once: {log:#?}"
    );
    shim.work();

    becomes_ready(&client);
    are_there(&client, &acknowledged);
    create(&client, "new", 10);
    server.stop();
    is_sound(&setup);
}
