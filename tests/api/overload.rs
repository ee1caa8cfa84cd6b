//! More than can be done at once: what is refused is refused honestly, and nobody else waits for
//! it.

use crate::{callers::Caller, connection::Connection, server::TestServer};
use serde_json::{Map, Value, json};
use std::thread;

/// As many searches as are taken of one account at once, at work or waiting.
fn searches_taken() -> usize {
    std::thread::available_parallelism()
        .map_or(1, Into::into)
        .max(2)
        * 65
        / 2
}

#[test]
fn excess_searches_answer_503_while_others_are_served() {
    // Without an index, each search reads all of the account.
    let server = TestServer::with(|settings| settings.store.index_bytes = 0);
    let account = server.account("ops");
    let meta: Map<String, Value> = (0..500)
        .map(|number| (format!("key_{number}"), json!(number)))
        .collect();

    for _ in 0..60 {
        account.created_from(
            json!({"name": "x", "type": "email", "destination_ids": [], "meta": meta}),
        );
    }

    let (other, asked) = (server.account("somebody else"), searches_taken() + 300);
    let searches: Vec<_> = (0..asked)
        .map(|number| {
            let mut connection = Connection::open(&server);
            // Each is another one, so that no answer is remembered.
            connection.request(
                &format!("GET /integration?meta.key_7={number} HTTP/1.1\nAuthorization: ops"),
                "",
            );
            connection
        })
        .collect();
    let created = other.created("x");
    assert_eq!(other.list("").json()["data"], json!([created]));

    // Half of the turns are left to others.
    assert_eq!(other.total("name=x"), 1);
    let mut refused = 0;

    for (number, mut connection) in searches.into_iter().enumerate() {
        let answer = connection.receive();
        if answer.status == 503 {
            refused += 1;
            assert_eq!(answer.header("retry-after"), Some("1"));
            answer.assert_error(
                503,
                &[
                    "Too many searches are waiting; nothing was changed",
                    "request id",
                ],
            );
        } else {
            let found = if number == 7 { 60 } else { 0 };
            assert_eq!(answer.assert_status(200).json()["total_count"], found);
        }
    }

    assert!(
        (1..=300).contains(&refused),
        "{refused} of {asked} were refused"
    );
    assert_eq!(account.total("meta.key_7=7"), 60, "it goes on afterwards");
}

/// Whoever asked for much and took it slowly kept everybody else from large answers.
#[test]
fn unread_responses_of_an_account_do_not_block_others() {
    const FILLING: usize = 1_000_000;
    let server = TestServer::start();
    let created = |account: &Caller, bytes: usize| {
        let meta = json!({"x": "x".repeat(bytes)});
        account.created_from(
            json!({"name": "x", "type": "email", "destination_ids": [], "meta": meta}),
        )
    };

    let (greedy, other) = (server.account("greedy"), server.account("other"));
    for _ in 0..26 {
        created(&greedy, FILLING);
    }

    created(&other, 100_000);
    let mut unread = Vec::new();
    // The body is longer than the usual client reads, and is not read here.
    let ask = || {
        let mut connection = Connection::open(&server);
        connection.request(
            "GET /integration?limit=100 HTTP/1.1\nAuthorization: greedy",
            "",
        );
        (connection.receive_head().status, connection)
    };

    let refused = loop {
        let (status, connection) = ask();
        if status != 200 {
            break status;
        }
        unread.push(connection);
    };

    // A quarter of 256 MiB, so that three other accounts could do the same.
    assert_eq!((refused, unread.len()), (503, 2));
    greedy.list("select=id").assert_status(200);
    other.list("").assert_status(200);
    drop(unread);

    while ask().0 == 503 {
        thread::yield_now();
    }
}
