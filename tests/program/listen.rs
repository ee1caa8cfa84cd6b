//! Where a server listens: several addresses, both families, Unix sockets, and what uses the
//! address.

use crate::support::{Server, Setup};
use std::{
    io::{Read, Write},
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, net::UnixStream},
};

/// The first line of the answer.
fn asks(mut connection: impl Read + Write, path: &str, token: &str) -> String {
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\nconnection: close\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

const OK: &str = "HTTP/1.1 200 OK";

fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

#[test]
fn localhost_is_both_loopback_addresses_at_one_port() {
    for listen in ["localhost:0", "127.0.0.1:0,[::1]:0"] {
        let server = Setup::bare().args(["--listen", listen]).start();
        let port = server.address.port();
        assert_eq!(
            server.first_line,
            format!("listening on http://127.0.0.1:{port}\n")
        );
        assert_eq!(
            asks(TcpStream::connect(server.address).unwrap(), "/readyz", "t"),
            OK
        );

        if has_ipv6() {
            let other: SocketAddr = (Ipv6Addr::LOCALHOST, port).into();
            assert_eq!(asks(TcpStream::connect(other).unwrap(), "/readyz", "t"), OK);
            server
                .log
                .wait_for(&format!("address=127.0.0.1:{port},[::1]:{port}"));
        }

        server.stop();
    }
}

#[test]
fn a_list_in_the_file_is_served_at_each_address() {
    let setup = Setup::bare().config("listen = ['127.0.0.1:0', '127.0.0.2:0']\n");
    let server = setup.start();
    for host in ["127.0.0.1", "127.0.0.2"] {
        let connection = TcpStream::connect((host, server.address.port())).unwrap();
        assert_eq!(asks(connection, "/integration", "t"), OK, "{host}");
    }
    server.stop();
}

#[test]
fn one_address_that_others_reach_is_enough_to_be_refused_in_open_mode() {
    for listen in ["127.0.0.1:0,0.0.0.0:0", "unix:socket,0.0.0.0:0"] {
        let outcome = Setup::bare().args(["--listen", listen]).run();
        assert!(
            outcome
                .error()
                .contains("'listen' has 0.0.0.0:0, which other machines can reach"),
            "{outcome:?}"
        );
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let _taken = TcpListener::bind(taken).unwrap();
    let outcome = Setup::bare()
        .args(["--listen", &format!("127.0.0.2:0,{taken}")])
        .run();
    assert!(
        outcome
            .error()
            .contains(&format!("cannot listen on {taken}")),
        "{outcome:?}"
    );
}

fn on_a_socket() -> Setup {
    Setup::bare().args(["--listen", "unix:it.sock"])
}

fn socket(setup: &Setup) -> UnixStream {
    UnixStream::connect(setup.path("it.sock")).unwrap()
}

fn start_on_a_socket(setup: &Setup) -> Server {
    let server = setup.launch();
    assert_eq!(
        server.first_line,
        format!("listening on unix:{}\n", setup.path("it.sock").display())
    );
    server
}

#[test]
fn a_unix_socket_serves_and_goes_away_with_the_server() {
    let setup = on_a_socket();
    let server = start_on_a_socket(&setup);
    assert_eq!(asks(socket(&setup), "/integration", "t"), OK);
    server.stop();
    assert!(!setup.path("it.sock").exists());
}

#[test]
fn a_unix_socket_that_a_killed_server_left_is_replaced_and_one_in_use_is_not() {
    let setup = on_a_socket();
    start_on_a_socket(&setup).kill();
    assert!(setup.path("it.sock").exists());
    let server = start_on_a_socket(&setup);
    let outcome = on_a_socket_beside(&setup).run();
    assert!(
        outcome.error().contains("cannot listen on unix:it.sock"),
        "{outcome:?}"
    );
    assert_eq!(asks(socket(&setup), "/readyz", "t"), OK);
    server.stop();
}

fn on_a_socket_beside(setup: &Setup) -> Setup {
    setup
        .same_folder()
        .args(["--listen", "unix:it.sock", "--data", "other"])
}

#[test]
fn a_server_on_a_unix_socket_is_asked_for_backups_there() {
    let setup = on_a_socket();
    let server = start_on_a_socket(&setup);
    for command in ["backup", "export"] {
        let outcome = setup.same_folder().args([command, "out"]).run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(setup.path("out").metadata().unwrap().len() > 0);
    }
    server.stop();
}

#[test]
fn what_arrived_at_a_unix_socket_before_the_signal_is_answered() {
    let setup = on_a_socket();
    let server = start_on_a_socket(&setup);
    server.signal(rustix::process::Signal::STOP);

    let mut connections: Vec<_> = (0..20).map(|_| socket(&setup)).collect();
    for connection in &mut connections {
        connection
            .write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .unwrap();
    }

    server.signal(rustix::process::Signal::TERM);
    server.signal(rustix::process::Signal::CONT);
    for connection in &mut connections {
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(OK), "{answer:?}");
    }

    assert_eq!(server.end().0.code(), Some(0));
}

#[test]
fn the_file_of_the_running_server_is_for_its_owner_and_names_the_socket() {
    let setup = on_a_socket();
    let server = start_on_a_socket(&setup);
    let running = setup.path("data/running");

    assert_eq!(
        std::fs::metadata(&running).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let text = std::fs::read_to_string(running).unwrap();
    assert!(
        text.contains(&format!("\"unix:{}\"", setup.path("it.sock").display())),
        "{text}"
    );
    server.stop();
}

#[test]
fn a_port_file_without_a_port_is_refused() {
    let outcome = on_a_socket().args(["--port-file", "port"]).run();
    assert!(
        outcome
            .error()
            .contains("'port_file' requires an address with a port"),
        "{outcome:?}"
    );
}
