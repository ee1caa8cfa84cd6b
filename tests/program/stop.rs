//! Stopping: what was begun is finished, what was acknowledged is there, and nobody idle is waited for.

use super::{
    child::{Server, Setup},
    http::integration,
};
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
        write!(connection, "{head}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n").unwrap();
        let mut connection = BufReader::new(connection);
        // The server asks for the body once the request is under way.
        assert_eq!(read_head(&mut connection)[0], "HTTP/1.1 100 Continue");
        connection.get_mut().write_all(begin).unwrap();
        Self { connection, rest: rest.to_vec() }
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
    connection.lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect()
}

fn finishes_what_was_begun(signal: Signal) {
    let setup = Setup::new().config(FOR_EVER);
    let server = setup.start();
    let before = server.client("t").create("before");
    let half = HalfSent::create(&server, "half sent");
    server.signal(signal);
    server.log.wait_for("Stopping");

    let (head, body) = half.finish();
    assert_eq!(head[0], "HTTP/1.1 200 OK", "{body}");
    let (status, _) = server.end();
    assert_eq!(status.code(), Some(0));

    let server = setup.start();
    let client = server.client("t");
    assert_eq!(client.get(&format!("/integration/{}", before["id"].as_str().unwrap())).json(), before);
    assert_eq!(client.get("/integration?name=half+sent").json()["data"][0].to_string(), body);
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
    server.log.wait_for("Stopping");
    server.signal(Signal::TERM);
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(1), "{:#?}", log.all());
    drop(never_finished);
}

#[test]
fn idle_connections_are_not_waited_for() {
    let server = Setup::new().config(FOR_EVER).start();
    let mut used = BufReader::new(TcpStream::connect(server.address).unwrap());
    used.get_mut().write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(read_head(&mut used)[0], "HTTP/1.1 200 OK");
    let never_used = TcpStream::connect(server.address).unwrap();
    server.stop();
    drop((used, never_used));
}

#[test]
fn a_client_that_never_finishes_is_given_up_after_the_time_it_has() {
    let server = Setup::new().config("[shutdown]\ndrain_seconds = 0\n").start();
    let never_finished = HalfSent::create(&server, "half sent");
    server.stop();
    drop(never_finished);
}
