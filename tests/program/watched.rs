//! What whoever watches a server is told while its disk is full, and afterwards.

use crate::support::{Client, Setup};
use serde_json::json;

/// Writes that were not taken since the store was closed.
pub(crate) const REFUSED: &str = r#"store_refusals_total{reason="closed"}"#;

pub(crate) fn metric(client: &Client, name: &str) -> u64 {
    let text = client.get("/metrics").text();
    let found = text.lines().find_map(|line| {
        line.strip_prefix(&format!("pagertree_local_{name} "))?
            .parse()
            .ok()
    });
    found.unwrap_or_else(|| panic!("there is no {name} in {text}"))
}

#[test]
fn an_outage_of_the_store_and_its_end_are_counted() {
    let server = Setup::new().file_blocks(16_384).start();
    let client = server.client("t");
    let counted = || {
        ["store_faults_total", "store_healings_total", REFUSED].map(|name| metric(&client, name))
    };

    assert_eq!(counted(), [0, 0, 0]);
    let large = json!({ "name": "n", "type": "webhook", "destination_ids": [], "meta": { "x": "y".repeat(30_000) } });
    while client.post("/integration", &large).status == 200 {}
    assert_eq!(client.post("/integration", &large).status, 503);

    let [faults, healings, closed] = counted();
    assert!(
        faults == 1 && healings == 0 && closed > 0,
        "{faults} faults, {healings} healings, {closed} refusals"
    );
    assert_eq!(metric(&client, "store_writable"), 0);
    server.lift_file_size_limit();
    server.log.wait_for("The store takes writes again");
    let [faults, healings, _] = counted();
    assert_eq!(
        (faults, healings, metric(&client, "store_writable")),
        (1, 1, 1)
    );
    server.stop();
}
