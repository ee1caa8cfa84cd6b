//! An HTTP server that receives webhooks and records them in order of arrival.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// The type of a webhook and the title of its alert.
pub(crate) type WebhookCall = (String, String);

/// Answers every request with 200 until the test process exits.
#[derive(Clone)]
pub(crate) struct WebhookReceiver {
    address: SocketAddr,
    calls: Arc<Mutex<BTreeMap<String, Vec<WebhookCall>>>>,
}

impl WebhookReceiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            calls: Arc::default(),
        };

        let taking = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let receiver = taking.clone();
                thread::spawn(move || receiver.take(&mut BufReader::new(stream.unwrap())));
            }
        });

        receiver
    }

    /// A URL of this receiver. The path tells senders apart.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The webhooks that arrived at a path, without repetitions: delivery is at least once, so a
    /// kill between a response and its commit makes the server send a webhook again.
    pub(crate) fn calls(&self, path: &str) -> Vec<WebhookCall> {
        let mut once: Vec<WebhookCall> = Vec::new();
        for calls in self.calls.lock().unwrap().get(path).into_iter().flatten() {
            if !once.contains(calls) {
                once.push(calls.clone());
            }
        }
        once
    }

    fn take(&self, stream: &mut BufReader<TcpStream>) {
        while let Some((path, body)) = read(stream) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let calls = (text(&body["type"]), text(&body["data"]["title"]));
            self.calls
                .lock()
                .unwrap()
                .entry(path)
                .or_default()
                .push(calls);
            let _ignored = stream
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    }
}

/// Reads a request. Returns its path and body, or `None` at the end of the connection.
fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let head: Vec<String> = stream
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let path = head
        .first()?
        .split(' ')
        .nth(1)?
        .trim_start_matches('/')
        .to_owned();
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;

    Some((path, serde_json::from_slice(&body).ok()?))
}
