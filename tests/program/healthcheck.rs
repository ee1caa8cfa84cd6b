//! `healthcheck`: whether a server is ready, as an exit code.

use crate::support::Setup;
use std::net::TcpListener;

#[test]
fn the_running_server_of_the_data_folder_is_healthy() {
    let setup = Setup::new();
    let server = setup.start();
    let check = setup.same_folder().args(["healthcheck"]);
    assert_eq!(check.run().code, Some(0));

    let url = format!("http://{}", server.address);
    for url in [url.clone(), url + "/"] {
        let check = Setup::bare().args(["healthcheck", "--url", &url]);
        assert_eq!(check.run().code, Some(0));
    }

    server.kill();
    let outcome = check.run();
    assert!(outcome.error().contains("no response from"), "{outcome:#?}");
}

#[test]
fn a_server_on_a_unix_socket_is_healthy() {
    let setup = Setup::bare().args(["--listen", "unix:it.sock"]);
    let _server = setup.launch();
    let check = setup.same_folder().args(["healthcheck"]);
    assert_eq!(check.run().code, Some(0));
}

#[test]
fn the_configured_address_is_asked_if_no_server_has_run() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    drop(other);
    let outcome = Setup::bare()
        .args(["healthcheck"])
        .config(&format!("listen = \"{address}\"\n"))
        .run();
    let error = outcome.error();
    assert!(
        error.contains(&format!("no response from http://{address}/readyz")),
        "{error}"
    );
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let outcome = Setup::bare()
        .args(["healthcheck", "--url", &url, "--timeout", "1"])
        .run();
    assert!(outcome.error().contains("timeout"), "{outcome:#?}");
}
