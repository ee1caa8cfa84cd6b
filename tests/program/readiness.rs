//! How a server says that it is ready: on standard output, on a file descriptor, to systemd.

use crate::support::Setup;
use rustix::process::Signal;
use serde_json::Value;
use std::{fs, os::unix::net::UnixDatagram};

/// A server that stops as soon as it is ready.
fn brief() -> Setup {
    Setup::new().args(["--ephemeral", "--until-stdin-closes"])
}

#[test]
fn the_first_line_is_json_on_request() {
    let outcome = brief()
        .args(["--print", "json"])
        .env("PAGERTREE_LOCAL_SMTP_LISTEN", "127.0.0.1:0")
        .run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome:#?}");

    let line: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(
        line["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert_eq!(line["urls"], Value::from(vec![line["url"].clone()]));
    assert!(
        line["mail"]
            .as_str()
            .unwrap()
            .starts_with("smtp://127.0.0.1:")
    );
    assert!(line["data"].as_str().unwrap().starts_with('/'));
    assert_eq!(line["ephemeral"], true);
    assert!(line["pid"].as_u64().unwrap() > 1);
    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn nothing_is_printed_on_request() {
    let outcome = brief().args(["--print", "none"]).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
}

#[test]
fn the_line_of_json_goes_to_the_file_descriptor() {
    let setup = brief()
        .args(["--print", "none", "--ready-fd", "3"])
        .prelude("exec 3>ready");
    let outcome = setup.run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");

    let ready = fs::read_to_string(setup.path("ready")).unwrap();
    let line: Value = serde_json::from_str(&ready).unwrap();
    assert!(
        line["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
}

#[test]
fn a_file_descriptor_that_is_not_open_is_refused() {
    let outcome = brief().args(["--ready-fd", "9"]).run();
    let error = outcome.error();
    assert!(
        error.contains("--ready-fd 9 is not a pipe or file that is open for writing"),
        "{error}"
    );
}

#[test]
fn the_service_manager_hears_of_the_start_and_of_the_stop() {
    let setup = Setup::new();
    let socket = UnixDatagram::bind(setup.path("notify")).unwrap();
    let receive = || {
        let mut state = [0; 64];
        let length = socket.recv(&mut state).unwrap();
        String::from_utf8(state[..length].to_vec()).unwrap()
    };

    let server = setup.env("NOTIFY_SOCKET", "notify").start();
    assert_eq!(receive(), "READY=1");
    server.signal(Signal::TERM);
    assert_eq!(receive(), "STOPPING=1");
    assert_eq!(server.end().0.code(), Some(0));
}
