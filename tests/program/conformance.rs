//! `conformance`: what a server is asked, and what is said about one that differs.

use crate::support::{Outcome, Setup};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
};

fn conformance(arguments: &[&str]) -> Outcome {
    let arguments = ["conformance"].iter().chain(arguments);
    Setup::bare().args(arguments.copied()).run()
}

#[test]
fn this_program_holds_every_promise() {
    let outcome = conformance(&[]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(
        outcome.stdout.ends_with("0 broken, 0 not tested: 100 %\n"),
        "{outcome:#?}"
    );
    assert_eq!(
        outcome.stdout.matches("  ok    ").count(),
        23,
        "{outcome:#?}"
    );
}

#[test]
fn a_server_is_left_as_it_was() {
    let server = Setup::new().start();
    let url = format!("http://{}", server.address);
    let client = server.client("t");
    client.create("mine");

    let reads = conformance(&["--against", &url, "--token", "t", "--json"]);
    assert_eq!(reads.code, Some(0), "{reads:#?}");
    let report: Value = serde_json::from_str(&reads.stdout).unwrap();
    assert_eq!(report["broken"], 0);
    // There is one integration, so nothing can be said about order and pages.
    assert_eq!(report["untested"], 2, "{report:#}");
    assert_eq!(report["score"], 100);

    let writes = conformance(&["--against", &url, "--token", "t", "--writes"]);
    assert_eq!(writes.code, Some(0), "{writes:#?}");
    let list = client.get("/integration").json();
    assert_eq!(list["total_count"], 1, "{list:#}");
    assert_eq!(list["data"][0]["name"], "mine");
}

/// Answers every request with this response, until the test ends.
fn serve(response: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let head = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty());
            if head.count() > 0 {
                let _ignored = connection.write_all(response.as_bytes());
            }
        }
    });
    url
}

#[test]
fn a_server_that_differs_is_described() {
    let url = serve(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 41\r\n\r\n\
         {\"data\": [{\"id\": 1}], \"total_count\": \"1\"}",
    );
    let outcome = conformance(&["--against", &url, "--token", "t"]);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    for words in [
        "  FAIL  GET /integration returns data, has_more and total_count",
        "documented is a boolean has_more and a number total_count",
        "'sid' is missing; documented is a string",
        "GET /integration: the status was 200",
        "Only reads were tested",
    ] {
        assert!(
            outcome.stdout.contains(words),
            "{words}: {}",
            outcome.stdout
        );
    }
}

#[test]
fn a_server_that_does_not_respond_has_an_exit_code_of_its_own() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let outcome = conformance(&["--against", &format!("http://{closed}"), "--token", "t"]);
    let error = outcome.error_with_code(2);
    assert!(error.contains("no response from"), "{error}");
}

#[test]
fn another_server_needs_a_credential() {
    let outcome = conformance(&["--against", "http://127.0.0.1:1"]);
    assert!(
        outcome.error().contains("pass --token TOKEN"),
        "{outcome:#?}"
    );
}
