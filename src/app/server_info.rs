//! The file `running` in the data folder: address of the running server, and the token for its
//! administrative routes.
//!
//! Only the owner can read the file, so the token gives access to nothing that its bearer could not
//! read from the store's files. A server that was killed leaves the file behind. That does no harm:
//! commands read it only while the store is locked.

use crate::domain::endpoint::Endpoint;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

const FILE: &str = "running";

/// Contents of the file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerInfo {
    /// An address at which this machine can reach the server.
    pub address: Endpoint,
    /// Whether the address expects TLS.
    #[serde(default)]
    pub tls: bool,
    /// Bearer token for `/_local/…`.
    pub token: String,
}

impl std::fmt::Debug for ServerInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl ServerInfo {
    /// Describes a server by the first of its endpoints.
    pub fn new(listening: &[Endpoint], tls: bool, token: String) -> Option<Self> {
        let address = match listening.first()? {
            Endpoint::Tcp(address) => {
                Endpoint::Tcp(SocketAddr::new(from_here(address.ip()), address.port()))
            }
            socket @ Endpoint::Unix(_) => socket.clone(),
        };
        let tls = tls && address.tcp().is_some();
        Some(Self {
            address,
            tls,
            token,
        })
    }

    /// Writes the file atomically and returns its path.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, data: &Path) -> io::Result<PathBuf> {
        let (path, beside) = (data.join(FILE), data.join("running.tmp"));
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }

        let written = self
            .write_to(&beside)
            .and_then(|()| fs::rename(&beside, &path));

        if written.is_err() {
            // Best effort: the write has already failed.
            let _ignored = fs::remove_file(&beside);
        }

        written.map(|()| path)
    }

    fn write_to(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")
    }

    /// Reads the file. Returns `None` if it does not exist.
    ///
    /// # Errors
    /// The file cannot be read, or is malformed.
    pub fn read(data: &Path) -> io::Result<Option<Self>> {
        match fs::read(data.join(FILE)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Replaces an unspecified address by the loopback address of its family.
fn from_here(listening: IpAddr) -> IpAddr {
    match listening {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_the_owner_can_read_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let running =
            ServerInfo::new(&["[::]:80".parse().unwrap()], true, "secret".into()).unwrap();
        let path = running.write(folder.path()).unwrap();

        assert_eq!(
            running.write(folder.path()).unwrap(),
            path,
            "it is written over"
        );
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(ServerInfo::read(folder.path()).unwrap(), Some(running));
        assert!(!folder.path().join("running.tmp").exists());
    }

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_this_machine() {
        for (listening, address) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.0.0.1:1", "10.0.0.1:1"),
            ("unix:/run/it.sock", "unix:/run/it.sock"),
        ] {
            let running =
                ServerInfo::new(&[listening.parse().unwrap()], false, String::new()).unwrap();
            assert_eq!(running.address, address.parse().unwrap());
        }
    }
}
