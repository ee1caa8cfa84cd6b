//! Takes what the server sends, and remembers it in the order in which it came.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What happened to which alert, by its title.
pub(crate) type Told = (String, String);

/// Answers 200 to everybody, for as long as the process lives.
#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    told: Arc<Mutex<BTreeMap<String, Vec<Told>>>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            told: Arc::default(),
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

    /// Where a webhook is to be sent, so that it is known whose it is.
    pub(crate) fn url(&self, whose: &str) -> String {
        format!("http://{}/{whose}", self.address)
    }

    /// What came for somebody. What was sent again, since the server was killed before it knew that
    /// it had been taken, counts once.
    pub(crate) fn told(&self, whose: &str) -> Vec<Told> {
        let mut once: Vec<Told> = Vec::new();
        for told in self.told.lock().unwrap().get(whose).into_iter().flatten() {
            if !once.contains(told) {
                once.push(told.clone());
            }
        }
        once
    }

    fn take(&self, stream: &mut BufReader<TcpStream>) {
        while let Some((whose, body)) = read(stream) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let told = (text(&body["type"]), text(&body["data"]["title"]));
            self.told
                .lock()
                .unwrap()
                .entry(whose)
                .or_default()
                .push(told);
            let _killed = stream
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
    }
}

/// The path and body of a request that came to its end.
fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let head: Vec<String> = stream
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let whose = head
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

    Some((whose, serde_json::from_slice(&body).ok()?))
}
