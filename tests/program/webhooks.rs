//! Webhooks of a server that cannot write, or that stops.

use super::watched::{REFUSED, metric};
use crate::support::{Client, Setup};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    sync::mpsc,
    thread,
};

/// Tells what it receives, and answers 200 whenever it is told to.
struct Receiver {
    address: SocketAddr,
    received: mpsc::Receiver<Value>,
    answer: mpsc::Sender<()>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ((tell, received), (answer, told)) = (mpsc::channel(), mpsc::channel());

        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(body) = receive(&mut stream) {
                    if tell.send(body).is_err() || told.recv().is_err() {
                        return;
                    }
                    let _gone = stream
                        .get_mut()
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
                }
            }
        });

        Self {
            address,
            received,
            answer,
        }
    }

    /// The title of the next alert that it hears of.
    fn next(&self) -> String {
        self.received.recv().unwrap()["data"]["title"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn answer(&self) {
        self.answer.send(()).unwrap();
    }
}

fn receive(stream: &mut BufReader<std::net::TcpStream>) -> Option<Value> {
    let lines = stream
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let length = lines.filter_map(|line| {
        line.strip_prefix("content-length: ")
            .map(|length| length.parse().unwrap())
    });

    let mut body = vec![0; length.last()?];
    stream.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn tell_of_alerts(client: &Client, receiver: &Receiver) {
    let options = json!({"url": format!("http://{}/", receiver.address)});
    let body = json!({"name": "out", "type": "outgoingwebhook", "destination_ids": [], "options": options});
    assert_eq!(client.post("/integration", &body).status, 200);
}

fn alert(client: &Client, title: &str) {
    assert_eq!(
        client
            .post("/alert", &json!({"title": title, "destination_ids": []}))
            .status,
        200
    );
}

/// What became of each attempt, once there were so many.
fn outcomes(client: &Client, count: usize) -> Vec<String> {
    loop {
        let list = client.get("/log?type=outgoing&limit=100").json();
        let outcomes: Vec<_> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|log| log["outcome"].as_str().unwrap().to_owned())
            .collect();
        if outcomes.len() >= count {
            return outcomes;
        }
        thread::yield_now();
    }
}

/// It was sent again at once, thousands of times, because it could not be kept that it had been
/// taken.
#[test]
fn what_was_taken_while_nothing_can_be_written_is_not_sent_again() {
    let receiver = Receiver::start();
    let server = Setup::new().file_blocks(1 << 20).start();
    let client = server.client("ops");

    tell_of_alerts(&client, &receiver);
    alert(&client, "first");
    alert(&client, "second");
    assert_eq!(receiver.next(), "first");
    server.limit_file_size(4_096);
    receiver.answer();

    // It is tried to be kept, again and again.
    while metric(&client, REFUSED) < 4 {
        thread::yield_now();
    }

    assert_eq!(client.get("/readyz").status, 503);
    assert!(
        receiver.received.try_recv().is_err(),
        "nothing more is sent"
    );
    server.lift_file_size_limit();
    assert_eq!(receiver.next(), "second");
    receiver.answer();
    assert_eq!(
        outcomes(&client, 2),
        [
            "delivered on attempt 1 (HTTP 200)",
            "delivered on attempt 1 (HTTP 200)"
        ]
    );
}

#[test]
fn a_disk_that_is_full_while_webhooks_wait_and_events_come_loses_and_doubles_none() {
    let receiver = Receiver::start();
    let server = Setup::new().file_blocks(1 << 20).start();
    let client = server.client("ops");

    tell_of_alerts(&client, &receiver);
    let source = json!({"name": "in", "type": "webhook", "destination_ids": []});
    let source = client.post("/integration", &source).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let event = |number: usize| {
        let event =
            json!({"event_type": "create", "id": number, "title": format!("event {number}")});
        client
            .post(&format!("/integration/{source}"), &event)
            .status
    };

    for number in 0..20 {
        assert_eq!(event(number), 200);
    }

    // The first is under way.
    let mut told = vec![receiver.next()];
    server.limit_file_size(4_096);
    while event(20) == 200 {}
    receiver.answer();

    while metric(&client, REFUSED) < 10 {
        assert_eq!(event(21), 503);
    }

    assert!(
        receiver.received.try_recv().is_err(),
        "nothing more is sent"
    );
    server.lift_file_size_limit();
    server.log.wait_for("The store takes writes again");
    assert_eq!(event(22), 200);

    let list = client.get("/alert?limit=100").json();
    let titles: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["title"].as_str().unwrap())
        .collect();

    assert!(
        titles.len() >= 21 && titles.starts_with(&["event 0", "event 1"]),
        "{titles:?}"
    );

    while told.len() < titles.len() {
        told.push(receiver.next());
        receiver.answer();
    }

    assert_eq!(told, titles, "in order, each once");
    assert_eq!(
        outcomes(&client, titles.len()),
        vec!["delivered on attempt 1 (HTTP 200)"; titles.len()]
    );
    assert_eq!(metric(&client, "webhooks_waiting"), 0);
}

/// It was neither kept nor logged, and sent again after the next start.
#[test]
fn what_is_taken_while_the_server_stops_is_not_sent_again() {
    let receiver = Receiver::start();
    let setup = Setup::new().config("[shutdown]\ndrain_seconds = 3600\n");
    let server = setup.start();
    let client = server.client("ops");

    tell_of_alerts(&client, &receiver);
    alert(&client, "first");
    alert(&client, "second");
    assert_eq!(receiver.next(), "first");
    server.signal(Signal::TERM);
    server.log.wait_for("Draining");
    receiver.answer();

    let (status, log) = server.end();
    assert_eq!(status.code(), Some(0), "{:#?}", log.all());
    assert!(
        receiver.received.try_recv().is_err(),
        "nothing is begun while the server stops"
    );

    let server = setup.start();
    assert_eq!(receiver.next(), "second");
    receiver.answer();
    assert_eq!(
        outcomes(&server.client("ops"), 2),
        [
            "delivered on attempt 1 (HTTP 200)",
            "delivered on attempt 1 (HTTP 200)"
        ]
    );
}

/// It was waited for as long as `outgoing.timeout_seconds` says.
#[test]
fn a_receiver_that_hangs_does_not_hold_the_stop_up() {
    let receiver = Receiver::start();
    let server = Setup::new()
        .config("[shutdown]\ndrain_seconds = 0\n[outgoing]\ntimeout_seconds = 300\n")
        .start();
    let client = server.client("ops");

    tell_of_alerts(&client, &receiver);
    alert(&client, "never taken");
    assert_eq!(receiver.next(), "never taken");

    let log = server.stop();
    log.wait_for("Some webhooks got no response before shutdown");
}

#[test]
fn what_waits_is_there_after_a_compaction_and_in_a_backup() {
    let receiver = Receiver::start();
    let setup = Setup::new().env("PAGERTREE_LOCAL_SHUTDOWN_DRAIN_SECONDS", "0");
    let server = setup.start();

    tell_of_alerts(&server.client("ops"), &receiver);
    alert(&server.client("ops"), "first");
    alert(&server.client("ops"), "second");
    assert_eq!(receiver.next(), "first");
    server.stop();
    receiver.answer();

    let restored = Setup::new();
    let backup = restored.path("all.backup").into_os_string();
    for (setup, command) in [
        (&setup, vec!["compact".into()]),
        (&setup, vec!["backup".into(), backup.clone()]),
        (&restored, vec!["restore".into(), backup]),
        (&setup, vec!["check".into()]),
        (&restored, vec!["check".into()]),
    ] {
        let outcome = setup.same_folder().args(command).run();
        assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    }

    for setup in [setup, restored] {
        let server = setup.start();
        for title in ["first", "second"] {
            assert_eq!(receiver.next(), title);
            receiver.answer();
        }
        assert_eq!(outcomes(&server.client("ops"), 2).len(), 2);
    }
}
