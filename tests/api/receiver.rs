//! Who receives webhooks, and what tests do to have some sent.

use crate::callers::{Caller, id};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, mpsc},
    thread,
};

/// A request that a receiver got.
#[derive(Debug)]
pub(crate) struct Received {
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Answers each request with the next of some statuses, the last one for ever.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    requests: mpsc::Receiver<Received>,
}

impl Receiver {
    pub(crate) fn answering(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel();

        thread::spawn(move || {
            let last = *statuses.last().unwrap();
            let statuses = Mutex::new(statuses.iter().copied().chain(std::iter::repeat(last)));
            let statuses = Arc::new(statuses);

            for stream in listener.incoming() {
                let (mut stream, statuses, sender) = (
                    BufReader::new(stream.unwrap()),
                    Arc::clone(&statuses),
                    sender.clone(),
                );

                // One that is kept for the next request keeps no other waiting.
                thread::spawn(move || {
                    while let Some(received) = receive(&mut stream) {
                        let status = statuses.lock().unwrap().next().unwrap();
                        let answer = format!(
                            "HTTP/1.1 {status} X\r\ncontent-length: 5\r\nx-token: t\r\n\r\nhello"
                        );
                        if sender.send(received).is_err()
                            || stream.get_mut().write_all(answer.as_bytes()).is_err()
                        {
                            return;
                        }
                    }
                });
            }
        });

        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn next(&self) -> Received {
        self.requests.recv().unwrap()
    }
}

pub(crate) fn receive(stream: &mut BufReader<std::net::TcpStream>) -> Option<Received> {
    let lines: Vec<String> = stream
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let headers = lines.get(1..)?.iter().map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    });

    let headers: Vec<_> = headers.collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")?
        .1
        .parse()
        .unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;

    Some(Received {
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}

pub(crate) fn sender(account: &Caller, options: Value) -> Value {
    account.created_from(json!({"name": "out", "type": "outgoingwebhook", "destination_ids": [], "options": options}))
}

pub(crate) fn alert(account: &Caller, title: &str) -> Value {
    let body = json!({"title": title, "destination_ids": []}).to_string();
    account
        .send("POST", "/alert", Some(&body))
        .assert_status(200)
        .json()
}

pub(crate) fn step(account: &Caller, alert: &Value, step: &str) -> Value {
    account
        .send("POST", &format!("/alert/{}/{step}", id(alert)), None)
        .assert_status(200)
        .json()
}

/// The logs of what was sent, once there are so many.
pub(crate) fn logs(account: &Caller, count: usize) -> Vec<Value> {
    loop {
        let list = account
            .send("GET", "/log?type=outgoing&limit=100", None)
            .json();
        let logs = list["data"].as_array().unwrap();
        if logs.len() >= count {
            assert_eq!(logs.len(), count, "{list:#}");
            return logs.clone();
        }
        thread::yield_now();
    }
}

pub(crate) fn log_outcomes(account: &Caller) -> Vec<String> {
    let list = account
        .send("GET", "/log?type=outgoing&limit=100", None)
        .json();
    let logs = list["data"].as_array().unwrap();
    logs.iter()
        .map(|log| log["outcome"].as_str().unwrap().to_owned())
        .collect()
}
