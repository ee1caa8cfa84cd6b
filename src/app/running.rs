//! The file `running` in the data folder: where a server on it can be asked, and the token that it
//! wants to see.
//!
//! Only its owner can read it, so whoever shows the token could read the store's files as well. It
//! is there while the server runs; one that was killed leaves it, and nobody looks for it as long
//! as nobody holds the store.

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

/// What the file says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// Where it can be reached from this machine.
    pub address: Endpoint,
    /// What `/_local/…` wants to see.
    pub token: String,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Running {
    /// A server that listens there: it is asked at the first of these endpoints.
    pub fn at(listening: &[Endpoint], token: String) -> Option<Self> {
        let address = match listening.first()? {
            Endpoint::Tcp(address) => {
                Endpoint::Tcp(SocketAddr::new(from_here(address.ip()), address.port()))
            }
            socket @ Endpoint::Unix(_) => socket.clone(),
        };
        Some(Self { address, token })
    }

    /// Writes the file, whole at once. Returns where it is.
    ///
    /// # Errors
    /// The folder takes no file.
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
            let _unless_there_is_none = fs::remove_file(&beside);
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

    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// It cannot be read, or makes no sense.
    pub fn read(data: &Path) -> io::Result<Option<Self>> {
        match fs::read(data.join(FILE)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Where a server that listens at this address is reached from this machine.
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
        let running = Running::at(&["[::]:80".parse().unwrap()], "secret".into()).unwrap();
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
        assert_eq!(Running::read(folder.path()).unwrap(), Some(running));
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
            let running = Running::at(&[listening.parse().unwrap()], String::new()).unwrap();
            assert_eq!(running.address, address.parse().unwrap());
        }
    }
}
