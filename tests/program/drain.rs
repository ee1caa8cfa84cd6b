//! Stopping under load: what was begun is answered, what comes too late is refused with the error
//! body or not taken at all, and nobody holds the stop up beyond the time for it.

use super::connection::{Connection, Received, request};
use crate::support::{Server, Setup, integration};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// More than any test waits for: whoever is waited for makes the test fail.
const FOR_EVER: &str = "[shutdown]\ndrain_seconds = 3600\n";

#[track_caller]
fn assert_refused(answer: &Received) {
    assert_eq!(answer.status, 503, "{answer:?}");
    for header in ["retry-after", "request-id", "date"] {
        assert!(answer.has_header(header), "{answer:?}");
    }

    assert!(
        answer
            .head
            .iter()
            .any(|line| line.eq_ignore_ascii_case("connection: close")),
        "{answer:?}"
    );

    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["errors"][0]["message"], "The server is shutting down");
}

/// Creates as often as it can, on one connection after another, until nobody listens. The names of
/// what was acknowledged.
fn create_until_the_end(
    address: SocketAddr,
    client: usize,
    acknowledged: &AtomicUsize,
) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut number = 0;
    while let Ok(mut connection) = Connection::try_open(address) {
        loop {
            number += 1;
            let name = format!("{client} {number}");
            let create = request("POST", "/integration", &integration(&name).to_string());
            let Some(answer) = connection
                .try_send(create)
                .ok()
                .and_then(|()| connection.receive_or_end())
            else {
                break;
            };

            if answer.status == 200 {
                names.insert(name);
                acknowledged.fetch_add(1, Ordering::SeqCst);
                continue;
            }

            assert_refused(&answer);
            break;
        }
    }

    names
}

fn names(server: &Server) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for page in 1.. {
        let list = server
            .client("t")
            .get(&format!("/integration?limit=100&page={page}&select=name"))
            .json();

        names.extend(
            list["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["name"].as_str().unwrap().to_owned()),
        );

        if list["has_more"] == false {
            break;
        }
    }

    names
}

#[test]
fn a_stop_amidst_writes_answers_every_one_that_it_does() {
    for _ in 0..4 {
        let setup = Setup::new().config(FOR_EVER);
        let server = setup.start();
        let (address, acknowledged) = (server.address, &AtomicUsize::new(0));
        let done: BTreeSet<String> = thread::scope(|scope| {
            let create = move |client| create_until_the_end(address, client, acknowledged);
            let clients: Vec<_> = (0..16)
                .map(|client| scope.spawn(move || create(client)))
                .collect();

            while acknowledged.load(Ordering::SeqCst) < 200 {
                thread::yield_now();
            }

            server.stop();
            clients
                .into_iter()
                .flat_map(|client| client.join().unwrap())
                .collect()
        });

        assert_eq!(
            names(&setup.start()),
            done,
            "what was done and what was said to be done"
        );
    }
}

#[test]
fn a_head_that_has_begun_when_the_server_stops_is_answered_503() {
    let server = Setup::new().config(FOR_EVER).start();
    let mut used = Connection::open(&server);
    used.send(request("GET", "/livez", ""));
    assert_eq!(used.receive().status, 200);

    let mut fresh = Connection::open(&server);
    for connection in [&mut used, &mut fresh] {
        connection.send("GET /integration HTTP/1.1\r\nho");
    }

    // What was sent before is there once this is answered, since both threads have looked.
    for _ in 0..10 {
        let mut other = Connection::open(&server);
        other.send(request("GET", "/livez", ""));
        assert_eq!(other.receive().status, 200);
    }

    server.signal(Signal::TERM);
    server.log.wait_for("Draining");
    for mut connection in [used, fresh] {
        assert_refused(&connection.receive());
        assert!(connection.receive_or_end().is_none());
    }

    assert_eq!(server.end().0.code(), Some(0));
}

#[test]
fn an_answer_given_while_the_server_stops_is_not_lost_to_what_was_sent_behind() {
    let server = Setup::new().config(FOR_EVER).start();
    let mut connections: Vec<_> = (0..20).map(|_| Connection::open(&server)).collect();
    let body = integration("x").to_string();
    let length = body.len();
    let head = format!(
        "POST /integration HTTP/1.1\r\nhost: x\r\nauthorization: t\r\ncontent-length: {length}\r\n"
    );

    for connection in &mut connections {
        connection.send(format!("{head}expect: 100-continue\r\n\r\n"));
        assert_eq!(connection.receive().status, 100);
    }

    server.signal(Signal::TERM);
    server.log.wait_for("Draining");
    let behind = request("GET", "/livez", "").repeat(2_000);

    for connection in &mut connections {
        connection.send(&body);
        connection.send(&behind);
        assert_eq!(connection.receive().json()["name"], "x");
        assert!(connection.receive_or_end().is_none());
        // Nobody answers this with a reset, which could have overtaken the answer.
        for _ in 0..50 {
            connection.send("x");
        }
    }

    drop(connections);
    assert_eq!(server.end().0.code(), Some(0));
}

#[test]
fn nobody_holds_the_stop_up_beyond_its_time() {
    let config = "[shutdown]\ndrain_seconds = 1\n[limits]\nbody_bytes = 60000000\nhead_seconds = 3600\nbody_seconds = 3600\nidle_seconds = 3600\n";
    let server = Setup::new().config(config).start();
    let mut large = integration("large");

    large["meta"] = json!({ "x": "x".repeat(900_000) });
    for _ in 0..10 {
        assert_eq!(server.client("t").post("/integration", &large).status, 200);
    }

    let mut without_end = Connection::open(&server);
    without_end.send("POST /integration HTTP/1.1\r\nhost: x\r\nauthorization: t\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n");
    assert_eq!(without_end.receive().status, 100);

    let mut takes_nothing = Connection::open(&server);
    takes_nothing.send(request("GET", "/integration", ""));
    takes_nothing.wait_for_something();
    server.signal(Signal::TERM);
    server.log.wait_for("Draining");
    thread::scope(|scope| {
        // A byte at a time, for as long as somebody is there.
        scope.spawn(move || while without_end.try_send("1\r\n \r\n").is_ok() {});
        assert_eq!(server.end().0.code(), Some(0));
    });

    drop(takes_nothing);
}

#[test]
fn a_body_that_has_not_come_when_the_time_is_nearly_over_is_answered_503() {
    let server = Setup::new()
        .config("[shutdown]\ndrain_seconds = 1\n")
        .start();
    let mut connection = Connection::open(&server);
    let head =
        "POST /integration HTTP/1.1\r\nhost: x\r\nauthorization: t\r\ncontent-length: 100\r\n";

    connection.send(format!("{head}expect: 100-continue\r\n\r\n"));
    assert_eq!(connection.receive().status, 100);
    connection.send("{\"name\":");
    server.signal(Signal::TERM);
    assert_refused(&connection.receive());
    assert!(connection.receive_or_end().is_none());
    assert_eq!(server.end().0.code(), Some(0));
}
