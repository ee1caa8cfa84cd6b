//! Binds all addresses and sockets of a server, or none.

use super::StartError;
use crate::{domain::endpoint::Endpoint, http::Listener};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
    sockopt,
};
use std::{
    fs, io,
    net::{Ipv6Addr, SocketAddr, TcpListener},
    os::unix::{fs::FileTypeExt, net::UnixListener},
    path::Path,
};

/// Attempts to find one port that is free on all addresses.
const MAX_ATTEMPTS: usize = 100;

/// Backlog until the server is ready and sets a larger one.
const FIRST_BACKLOG: i32 = 128;

/// A bound listener and its endpoint with the actual port.
pub(super) type Bound = (Listener, Endpoint);

/// Binds all endpoints. Those with port 0 share one port.
///
/// # Errors
/// An endpoint cannot be bound. The IPv6 loopback is skipped if the machine has none and another
/// endpoint remains.
pub(super) fn bind_all(endpoints: &[Endpoint]) -> Result<Vec<Bound>, StartError> {
    let mut attempt = 1;
    loop {
        match bind_once(endpoints) {
            Err(BindError::PortTaken(_)) if attempt < MAX_ATTEMPTS => attempt += 1,
            Err(BindError::PortTaken(error) | BindError::Final(error)) => return Err(error),
            Ok(bound) => return Ok(bound),
        }
    }
}

/// Why binding failed.
enum BindError {
    /// The port picked on one address is taken on another.
    PortTaken(StartError),
    Final(StartError),
}

fn bind_once(endpoints: &[Endpoint]) -> Result<Vec<Bound>, BindError> {
    let mut all = Vec::new();
    let mut free_port = None;
    for endpoint in endpoints {
        let wanted = with_port(endpoint, free_port);
        match bind_one(&wanted, endpoints) {
            Ok((listener, bound)) => {
                if endpoint.tcp().is_some_and(|address| address.port() == 0) {
                    free_port = bound.tcp().map(|address| address.port());
                }
                all.push((listener, bound));
            }
            Err(error) if endpoints.len() > 1 && is_missing_loopback(&wanted, &error) => {
                log::debug!(address:display = wanted; "Skipping an address that this machine does not have");
            }
            Err(source) => {
                let chosen_here = wanted != *endpoint && source.kind() == io::ErrorKind::AddrInUse;
                let error = StartError::Listen {
                    remedy: "--listen",
                    address: wanted,
                    source,
                };
                return Err(if chosen_here {
                    BindError::PortTaken(error)
                } else {
                    BindError::Final(error)
                });
            }
        }
    }

    Ok(all)
}

/// Replaces port 0 by the port already picked, if any.
fn with_port(endpoint: &Endpoint, free_port: Option<u16>) -> Endpoint {
    match (endpoint, free_port) {
        (Endpoint::Tcp(address), Some(port)) if address.port() == 0 => {
            Endpoint::Tcp(SocketAddr::new(address.ip(), port))
        }
        _ => endpoint.clone(),
    }
}

fn is_missing_loopback(endpoint: &Endpoint, error: &io::Error) -> bool {
    let loopback = endpoint
        .tcp()
        .is_some_and(|address| address.ip() == Ipv6Addr::LOCALHOST);
    let errno = rustix::io::Errno::from_io_error(error);
    loopback
        && matches!(
            errno,
            Some(rustix::io::Errno::ADDRNOTAVAIL | rustix::io::Errno::AFNOSUPPORT)
        )
}

fn bind_one(endpoint: &Endpoint, all: &[Endpoint]) -> io::Result<Bound> {
    match endpoint {
        Endpoint::Tcp(address) => {
            let listener = bind_tcp(*address, all)?;
            let bound = Endpoint::Tcp(listener.local_addr()?);
            Ok((Listener::Tcp(listener), bound))
        }
        Endpoint::Unix(path) => Ok((
            Listener::Unix(bind_unix(path)?),
            Endpoint::Unix(std::path::absolute(path)?),
        )),
    }
}

/// Binds IPv6 addresses with `IPV6_V6ONLY` when there are IPv4 ones as well: a socket for `[::]`
/// usually takes IPv4 too, and the two would collide.
fn bind_tcp(address: SocketAddr, all: &[Endpoint]) -> io::Result<TcpListener> {
    if !address.is_ipv6()
        || !all
            .iter()
            .filter_map(Endpoint::tcp)
            .any(|other| other.is_ipv4())
    {
        return TcpListener::bind(address);
    }

    let socket = socket_with(
        AddressFamily::INET6,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;

    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_ipv6_v6only(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, FIRST_BACKLOG)?;

    Ok(socket.into())
}

/// Replaces a stale socket left by a server that was killed.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path)? => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        outcome => outcome,
    }
}

fn is_abandoned(path: &Path) -> io::Result<bool> {
    if !path.symlink_metadata()?.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the path exists and is not a socket",
        ));
    }
    // Non-blocking, so as not to wait for a server that is too busy to accept.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    Ok(connect(&socket, &SocketAddrUnix::new(path)?) == Err(rustix::io::Errno::CONNREFUSED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(texts: &[&str]) -> Vec<Endpoint> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn ports(bound: &[Bound]) -> Vec<u16> {
        bound
            .iter()
            .filter_map(|(_, endpoint)| endpoint.tcp())
            .map(|address| address.port())
            .collect()
    }

    #[test]
    fn addresses_with_port_0_get_the_same_port() {
        for _ in 0..50 {
            let bound = bind_all(&endpoints(&["127.0.0.1:0", "127.0.0.2:0"])).unwrap();
            let ports = ports(&bound);
            assert!(
                ports.len() == 2 && ports[0] == ports[1] && ports[0] != 0,
                "{ports:?}"
            );
        }
    }

    #[test]
    fn another_port_is_looked_for_when_one_is_taken_at_the_second_address() {
        let first = TcpListener::bind("127.0.0.3:0").unwrap();
        let taken = first.local_addr().unwrap().port();
        let with_port = |ip: &str| format!("{ip}:{taken}").parse().unwrap();
        let outcome = bind_once(&[with_port("127.0.0.2"), with_port("127.0.0.3")]);
        assert!(
            matches!(outcome, Err(BindError::Final(StartError::Listen { .. }))),
            "a port that was asked for stays"
        );
    }

    #[test]
    fn both_families_of_all_addresses_are_bound_side_by_side() {
        let outcome = bind_all(&endpoints(&["0.0.0.0:0", "[::]:0"]));
        match outcome {
            Ok(bound) => assert_eq!(bound.len(), 2),
            Err(error) => assert!(error.to_string().contains("[::]"), "without IPv6: {error}"),
        }
    }

    #[test]
    fn a_socket_in_use_stays_and_an_abandoned_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.sock");
        let endpoint = [Endpoint::Unix(path.clone())];
        let first = bind_all(&endpoint).unwrap();

        assert!(bind_all(&endpoint).is_err(), "somebody listens on it");
        drop(first);
        assert!(path.exists());
        drop(bind_all(&endpoint).unwrap());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(bind_all(&endpoint).is_err(), "it is no socket");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
