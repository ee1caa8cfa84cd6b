//! Where a server listens: an address with a port, or a Unix domain socket.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

/// What a text begins with that names a Unix domain socket.
const UNIX: &str = "unix:";

/// An address with a port, or the path of a Unix domain socket. Written as `127.0.0.1:7243` or
/// `unix:/run/it.sock`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Endpoint {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix domain socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// The path of the socket, if this text names one.
    pub fn unix_path(text: &str) -> Option<&Path> {
        text.strip_prefix(UNIX).map(Path::new)
    }

    /// The address, unless it is a Unix domain socket.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// The path of the socket, if it is a Unix domain socket.
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(path) => Some(path),
        }
    }

    /// Whether only this machine reaches it.
    pub fn is_local(&self) -> bool {
        self.tcp().is_none_or(|address| address.ip().is_loopback())
    }

    /// How a line for people calls it: `http://127.0.0.1:7243`, or the socket.
    pub fn shown(&self, scheme: &str) -> String {
        match self {
            Self::Tcp(address) => format!("{scheme}://{address}"),
            Self::Unix(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// A text that is neither an address with a port nor `unix:` and a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither an address with a port nor 'unix:' and a path")]
pub struct NoEndpoint;

impl FromStr for Endpoint {
    type Err = NoEndpoint;

    fn from_str(text: &str) -> Result<Self, NoEndpoint> {
        match Self::unix_path(text) {
            Some(path) if path.as_os_str().is_empty() => Err(NoEndpoint),
            Some(path) => Ok(Self::Unix(path.to_owned())),
            None => text.parse().map(Self::Tcp).map_err(|_| NoEndpoint),
        }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = NoEndpoint;

    fn try_from(text: String) -> Result<Self, NoEndpoint> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_they_are_written() {
        for text in ["127.0.0.1:1", "[::1]:65535", "unix:/run/it.sock", "unix:it"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        for text in ["", "unix:", "127.0.0.1", "localhost:1", "/run/it.sock"] {
            assert_eq!(text.parse::<Endpoint>(), Err(NoEndpoint), "{text}");
        }
    }

    #[test]
    fn loopback_addresses_and_sockets_are_local() {
        for (text, local) in [
            ("127.0.0.9:1", true),
            ("[::1]:1", true),
            ("unix:x", true),
            ("0.0.0.0:1", false),
        ] {
            assert_eq!(
                text.parse::<Endpoint>().unwrap().is_local(),
                local,
                "{text}"
            );
        }
    }
}
