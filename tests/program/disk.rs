//! A disk that takes no more: the server says so, keeps living, and has everything that it
//! acknowledged.

use crate::support::{Client, Server, Setup};
use serde_json::{Value, json};

/// 8 MiB for each file.
const BLOCKS: u32 = 16_384;

fn large(number: usize) -> Value {
    let filling = format!("{number:x}").repeat(30_000);
    json!({ "name": format!("number {number}"), "type": "webhook", "destination_ids": [], "meta": { "x": filling } })
}

/// Creates until the disk is full; what was acknowledged, and the answer that was not.
fn fill(client: &Client) -> (Vec<Value>, crate::support::Response) {
    let mut acknowledged = Vec::new();
    for number in 0..10_000 {
        let answer = client.post("/integration", &large(number));
        if answer.status != 200 {
            return (acknowledged, answer);
        }
        acknowledged.push(answer.json());
    }
    panic!("the disk never filled up");
}

#[test]
fn a_full_disk_is_told_and_nothing_acknowledged_is_lost() {
    let setup = Setup::new().file_blocks(BLOCKS);
    let server = setup.start();
    let client = server.client("t");
    let (acknowledged, refused) = fill(&client);

    assert!(
        acknowledged.len() > 10,
        "only {} were taken",
        acknowledged.len()
    );

    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(!refused.messages().is_empty());
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");

    let ready = client.get("/readyz");
    assert_eq!(ready.status, 503, "{}", ready.text());
    assert!(ready.headers.contains_key("retry-after"), "{ready:?}");

    let again = client.post("/integration", &large(0));
    assert_eq!(
        (again.status, again.headers.contains_key("retry-after")),
        (503, true),
        "{again:?}"
    );
    assert_eq!(client.get("/livez").status, 200);
    server.log.wait_for("Commit failed");
    is_calm(&server);
    server.kill();

    everything_is_there(
        &setup.same_folder().args(["--listen", "127.0.0.1:0"]),
        &acknowledged,
    );
}

fn is_calm(server: &Server) {
    let log = server.log.all();
    assert!(
        !log.iter()
            .any(|line| line.contains("panicked") || line.contains("bug in this program")),
        "{log:#?}"
    );
}

#[test]
fn a_server_heals_itself_once_there_is_room_again() {
    let setup = Setup::new().file_blocks(BLOCKS);
    let server = setup.start();
    let client = server.client("t");
    let (acknowledged, _) = fill(&client);

    for integration in &acknowledged {
        is_there_unless_the_store_is_closed(&client, integration);
    }

    server.lift_file_size_limit();
    server.log.wait_for("The store takes writes again");
    assert_eq!(client.get("/readyz").status, 200);
    are_all_there(&client, &acknowledged);
    is_calm(&server);
    server.stop();
    is_sound(&setup);
}

fn is_there_unless_the_store_is_closed(client: &Client, integration: &Value) {
    let answer = client.get(&format!(
        "/integration/{}",
        integration["id"].as_str().unwrap()
    ));
    match answer.status {
        503 => assert!(answer.headers.contains_key("retry-after"), "{answer:?}"),
        _ => assert_eq!(answer.json(), *integration),
    }
}

#[test]
fn a_server_with_a_full_disk_stops_when_asked() {
    let setup = Setup::new().file_blocks(BLOCKS);
    let server = setup.start();
    let (acknowledged, _) = fill(&server.client("t"));
    server.stop();
    everything_is_there(
        &setup.same_folder().args(["--listen", "127.0.0.1:0"]),
        &acknowledged,
    );
}

fn everything_is_there(setup: &Setup, acknowledged: &[Value]) {
    is_sound(setup);
    let server = setup.start();
    are_all_there(&server.client("t"), acknowledged);
    server.stop();
    is_sound(setup);
}

/// And one more can be written.
fn are_all_there(client: &Client, acknowledged: &[Value]) {
    for integration in acknowledged {
        let answer = client.get(&format!(
            "/integration/{}",
            integration["id"].as_str().unwrap()
        ));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json(), *integration);
    }

    let total = client.get("/integration").json()["total_count"]
        .as_u64()
        .unwrap();
    let beyond = total - u64::try_from(acknowledged.len()).unwrap();

    assert!(
        beyond <= 1,
        "one may have been written and not acknowledged, but there are {beyond}"
    );
    client.create("there is room again");
}

fn is_sound(setup: &Setup) {
    let outcome = setup.same_folder().args(["check"]).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}
