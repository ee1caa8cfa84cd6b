//! A bare connection: many are cheap, and they may do what a proper client would not.

use crate::support::Server;
use serde_json::Value;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub(crate) struct Connection(BufReader<TcpStream>);

/// Status, the lines of the head, and the body.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

/// Only so that a test of a server that never answers ends.
const PATIENCE: Duration = Duration::from_secs(60);

impl Connection {
    pub(crate) fn open(server: &Server) -> Self {
        Self::try_open(server.address).unwrap()
    }

    /// Says so when nobody listens.
    pub(crate) fn try_open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Ok(Self(BufReader::with_capacity(512, stream)))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends, and says so when the server has hung up.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// Sends as much as is taken within this time.
    pub(crate) fn send_what_is_taken(
        &mut self,
        mut bytes: &[u8],
        within: Duration,
    ) -> io::Result<()> {
        self.0.get_ref().set_write_timeout(Some(within)).unwrap();
        while !bytes.is_empty() {
            match self.0.get_mut().write(bytes) {
                Ok(taken) => bytes = &bytes[taken..],
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    break;
                }
                Err(error) => return Err(error),
            }
        }

        Ok(())
    }

    /// Waits until there is something to receive, and leaves it there.
    pub(crate) fn wait_for_something(&self) {
        self.0.get_ref().peek(&mut [0]).unwrap();
    }

    /// Says that nothing more will be sent, and takes what is answered.
    pub(crate) fn hang_up_and_receive(&mut self) -> Received {
        self.0.get_ref().shutdown(Shutdown::Write).unwrap();
        self.receive()
    }

    pub(crate) fn receive(&mut self) -> Received {
        self.receive_or_end().expect("an answer")
    }

    /// The next answer, or nothing when the server has hung up without one. It breaks off none.
    pub(crate) fn receive_or_end(&mut self) -> Option<Received> {
        match self.0.fill_buf() {
            Ok([]) => return None,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return None,
            begun => drop(begun.unwrap().len()),
        }

        let lines = self.0.by_ref().lines().map(Result::unwrap);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let status = head[0].split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .iter()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();

        Some(Received { status, head, body })
    }
}

impl Received {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(
            self.status,
            200,
            "{:?} {}",
            self.head,
            String::from_utf8_lossy(&self.body)
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.head
            .iter()
            .any(|line| line.split_once(':').is_some_and(|(found, _)| found == name))
    }
}

/// A request of the account `t`.
pub(crate) fn request(method: &str, path: &str, body: &str) -> String {
    request_of("t", method, path, body)
}

/// The same, of another account.
pub(crate) fn request_of(account: &str, method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: {account}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Lets this process have as many connections as it may.
pub(crate) fn allow_many_connections() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )
    .unwrap();
}
