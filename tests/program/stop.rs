//! Stopping: what was begun is finished, what was acknowledged is there, and nobody idle is waited
//! for.

use super::connection::{Connection, request};
use crate::support::{Server, Setup, integration};
use rustix::process::Signal;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

/// More than any test waits for: whoever is waited for makes the test fail.
const FOR_EVER: &str = "[shutdown]\ndrain_seconds = 3600\n";

/// A request of which half the body is sent, and which the server has begun to read.
struct HalfSent {
    connection: BufReader<TcpStream>,
    rest: Vec<u8>,
}

impl HalfSent {
    fn create(server: &Server, name: &str) -> Self {
        let body = serde_json::to_vec(&integration(name)).unwrap();
        let (begin, rest) = body.split_at(body.len() / 2);
        let mut connection = TcpStream::connect(server.address).unwrap();
        let length = body.len();
        let head = "POST /integration HTTP/1.1\r\nHost: x\r\nAuthorization: t\r\nContent-Type: application/json";

        write!(
            connection,
            "{head}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        )
        .unwrap();

        let mut connection = BufReader::new(connection);
        // The server asks for the body once the request is under way.
        assert_eq!(read_head(&mut connection)[0], "HTTP/1.1 100 Continue");
        connection.get_mut().write_all(begin).unwrap();

        Self {
            connection,
            rest: rest.to_vec(),
        }
    }

    /// Sends what is missing and reads to the end: the server closes the connection.
    fn finish(mut self) -> (Vec<String>, String) {
        self.connection.get_mut().write_all(&self.rest).unwrap();
        let head = read_head(&mut self.connection);
        let mut body = String::new();
        self.connection.read_to_string(&mut body).unwrap();
        (head, body)
    }
}

fn read_head(connection: &mut impl BufRead) -> Vec<String> {
    connection
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
        .collect()
}

fn finishes_what_was_begun(signal: Signal) {
    let setup = Setup::new().config(FOR_EVER);
    let server = setup.start();
    let before = server.client("t").create("before");
    let half = HalfSent::create(&server, "half sent");

    server.signal(signal);
    server.log.wait_for("Draining");

    let (head, body) = half.finish();
    assert_eq!(head[0], "HTTP/1.1 200 OK", "{body}");
    let (status, _) = server.end();

    assert_eq!(status.code(), Some(0));

    let server = setup.start();
    let client = server.client("t");
    assert_eq!(
        client
            .get(&format!("/integration/{}", before["id"].as_str().unwrap()))
            .json(),
        before
    );
    assert_eq!(
        client.get("/integration?name=half+sent").json()["data"][0].to_string(),
        body
    );
}

#[test]
fn sigterm_finishes_what_was_begun_and_keeps_what_was_acknowledged() {
    finishes_what_was_begun(Signal::TERM);
}

#[test]
fn sigint_finishes_what_was_begun_and_keeps_what_was_acknowledged() {
    finishes_what_was_begun(Signal::INT);
}

#[test]
fn a_second_signal_stops_at_once() {
    let server = Setup::new().config(FOR_EVER).start();
    let never_finished = HalfSent::create(&server, "half sent");
    server.signal(Signal::TERM);
    server.log.wait_for("Draining");
    server.signal(Signal::INT);
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(1), "{:#?}", log.all());
    drop(never_finished);
}

/// npm, pnpm, nodemon and `timeout` send each signal twice.
#[test]
fn the_same_signal_twice_within_a_second_is_one() {
    let server = Setup::new().config(FOR_EVER).start();
    let half = HalfSent::create(&server, "half sent");
    for _ in 0..3 {
        server.signal(Signal::TERM);
    }
    server.log.wait_for("Draining");
    server.signal(Signal::TERM);
    let (head, body) = half.finish();
    assert_eq!(head[0], "HTTP/1.1 200 OK", "{body}");
    assert_eq!(server.end().0.code(), Some(0));
}

#[test]
fn the_same_signal_stops_at_once_when_it_comes_again_later() {
    let server = Setup::new().config(FOR_EVER).start();
    let never_finished = HalfSent::create(&server, "half sent");
    let (status, log) = server.signal_until_exit(Signal::TERM);
    assert_eq!(status.code(), Some(1), "{:#?}", log.all());
    log.wait_for("Stopped immediately by a second signal");
    drop(never_finished);
}

/// Whatever the client sent before the signal has been sent in time, though nobody had looked at
/// it.
#[test]
fn requests_that_arrived_whole_before_the_signal_are_answered() {
    let server = Setup::new().config(FOR_EVER).start();
    let kept: Vec<_> = (0..20)
        .map(|_| {
            let mut connection = Connection::open(&server);
            connection.send(request("GET", "/livez", ""));
            assert_eq!(connection.receive().status, 200);
            connection
        })
        .collect();
    server.signal(Signal::STOP);

    // The system takes these connections in the server's place.
    let fresh = (0..100).map(|_| Connection::open(&server));
    let mut connections: Vec<_> = kept.into_iter().chain(fresh).collect();

    for (number, connection) in connections.iter_mut().enumerate() {
        connection.send(request(
            "POST",
            "/integration",
            &integration(&number.to_string()).to_string(),
        ));
    }

    server.signal(Signal::TERM);
    server.signal(Signal::CONT);
    for (number, connection) in connections.iter_mut().enumerate() {
        let answer = connection.receive_or_end();
        assert_eq!(
            answer.map(|answer| answer.status),
            Some(200),
            "connection {number}"
        );
    }

    assert_eq!(server.end().0.code(), Some(0));
}

#[test]
fn a_reload_does_not_change_how_long_a_stop_may_take() {
    let setup = Setup::new().config("[shutdown]\ndrain_seconds = 3600\n");
    let server = setup.start();
    let half = HalfSent::create(&server, "half sent");

    setup.write("config.toml", "[shutdown]\ndrain_seconds = 0\n");
    server.signal(Signal::HUP);
    let line = server.log.wait_for("Reloaded the configuration");

    assert!(
        line.contains("shutdown"),
        "it waits for the next start: {line}"
    );
    server.signal(Signal::TERM);

    let line = server.log.wait_for("Shutting down");
    assert!(line.ends_with("at_most_seconds=3610"), "{line}");
    half.finish();
    assert_eq!(server.end().0.code(), Some(0));
}

/// More than a pipe and the log's own buffer hold.
fn log_too_much(server: &Server) {
    let path = format!("/{}", "x".repeat(7_000));
    let mut connection = Connection::open(server);
    for _ in 0..400 {
        connection.send(request("GET", &path, ""));
        assert_eq!(connection.receive().status, 404);
    }
}

#[test]
fn a_standard_error_that_nobody_reads_holds_up_neither_requests_nor_the_stop() {
    let (server, stderr) = Setup::new().start_with_unread_stderr();
    log_too_much(&server);
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    drop(stderr);
}

#[test]
fn a_second_signal_stops_at_once_also_where_nobody_reads_standard_error() {
    let (server, stderr) = Setup::new().config(FOR_EVER).start_with_unread_stderr();
    log_too_much(&server);
    let never_finished = HalfSent::create(&server, "half sent");
    server.signal(Signal::TERM);
    server.signal(Signal::INT);
    assert_eq!(server.wait().code(), Some(1));
    drop((never_finished, stderr));
}

#[test]
fn idle_connections_are_not_waited_for() {
    let server = Setup::new().config(FOR_EVER).start();
    let mut used = BufReader::new(TcpStream::connect(server.address).unwrap());
    used.get_mut()
        .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    assert_eq!(read_head(&mut used)[0], "HTTP/1.1 200 OK");
    let never_used = TcpStream::connect(server.address).unwrap();
    server.stop();
    drop((used, never_used));
}

#[test]
fn a_client_that_never_finishes_is_given_up_after_the_time_it_has() {
    let server = Setup::new()
        .config("[shutdown]\ndrain_seconds = 0\n")
        .start();
    let never_finished = HalfSent::create(&server, "half sent");
    server.stop();
    drop(never_finished);
}
