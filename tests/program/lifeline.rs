//! A server that is tied to its standard input or to another process.

use crate::support::Setup;
use std::process::{Child, Command, Stdio};

/// A process that runs until it is killed.
fn idle_process() -> Child {
    Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn the_server_stops_when_its_standard_input_closes() {
    let setup = Setup::new().args(["--until-stdin-closes"]);
    let mut server = setup.start();
    let created = server.client("t").create("kept");
    let path = format!("/integration/{}", created["id"].as_str().unwrap());

    server.close_stdin();
    let (status, log) = server.end();
    assert_eq!(status.code(), Some(0), "{:#?}", log.all());
    log.wait_for("standard input was closed");

    let again = setup.start();
    assert_eq!(again.client("t").get(&path).status, 200);
}

#[test]
fn the_server_stops_when_the_process_of_parent_ends() {
    let mut parent = idle_process();
    let server = Setup::new()
        .args(["--parent", &parent.id().to_string()])
        .start();

    parent.kill().unwrap();
    let (status, log) = server.end();
    parent.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{:#?}", log.all());
    log.wait_for("the process of --parent ended");
}

#[test]
fn a_parent_that_does_not_exist_is_refused() {
    let mut gone = idle_process();
    gone.kill().unwrap();
    gone.wait().unwrap();

    let id = gone.id().to_string();
    let outcome = Setup::new().args(["--parent", &id]).run();
    let error = outcome.error();
    assert!(
        error.contains("no process has this id") && error.contains(&id),
        "{error}"
    );

    let outcome = Setup::new().args(["--parent", "0"]).run();
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
}
