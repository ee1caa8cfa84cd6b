//! A bare connection, for requests that a proper client would not send.

use crate::{response::Response, server::TestServer};
use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) struct Connection(BufReader<TcpStream>);

/// Only so that a test of a server that never answers ends.
const PATIENCE: Duration = Duration::from_secs(20);

impl Connection {
    pub(crate) fn open(server: &TestServer) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Sends, and says so when the server does not want it.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// Waits for a moment for something to read, be it the end.
    pub(crate) fn has_something(&mut self, within: Duration) -> bool {
        self.0.get_ref().set_read_timeout(Some(within)).unwrap();
        let found = self.0.fill_buf().map(drop);
        self.0.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        !found
            .is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// A request of this head, whose lines end in `\n` here, and this body.
    pub(crate) fn request(&mut self, head: &str, body: impl AsRef<[u8]>) -> &mut Self {
        let head = head
            .trim()
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("\r\n");
        self.send(format!("{head}\r\nHost: localhost\r\n\r\n"))
            .send(body)
    }

    /// The next answer, with as much body as it says it has.
    pub(crate) fn receive(&mut self) -> Response {
        let mut answer = self.receive_head();
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        answer.text = String::from_utf8(body).unwrap();
        answer
    }

    /// The next answer, which has no body whatever it says, such as one to HEAD.
    pub(crate) fn receive_head(&mut self) -> Response {
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value.trim()).unwrap());
        }

        Response {
            status,
            headers,
            text: String::new(),
        }
    }

    /// Everything up to the last chunk of a response.
    pub(crate) fn rest_of_chunks(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        while !rest.ends_with(b"0\r\n\r\n") && self.0.read_until(b'\n', &mut rest).unwrap() > 0 {}
        rest
    }

    /// Everything until the server hangs up.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut rest) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        rest
    }

    /// Whether the server has nothing more to say and has hung up.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            // A reset is an end too: the server need not read what it refused.
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// The next line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
