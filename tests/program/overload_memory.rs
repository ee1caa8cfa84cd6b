//! Clients that make the server hold something for them: all together cannot make it hold more than
//! so much.

use super::connection::{Connection, Received, allow_many_connections, request, request_of};
use crate::support::{Client, Server, Setup, integration};
use serde_json::{Value, json};
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// Each may have a quarter of the room, so that it takes several to fill it.
const ACCOUNTS: [&str; 4] = ["t", "u", "v", "w"];

fn with_large_objects() -> Server {
    allow_many_connections();
    let server = Setup::new().args(["--ephemeral"]).start();
    for _ in 0..20 {
        assert_eq!(
            server
                .client(ACCOUNTS[0])
                .post("/integration", &large())
                .status,
            200
        );
    }

    server
}

fn with_large_objects_of_all() -> Server {
    let server = with_large_objects();
    for account in &ACCOUNTS[1..] {
        for _ in 0..20 {
            assert_eq!(
                server.client(account).post("/integration", &large()).status,
                200
            );
        }
    }
    server
}

fn large() -> Value {
    let mut large = integration("large");
    large["meta"] = json!({ "x": "x".repeat(200_000) });
    large
}

fn is_served(server: &Server) {
    let client = server.client("somebody else");
    let created = client.create("x");
    assert_eq!(client.get("/integration?name=x").json()["data"][0], created);
}

/// Whether this is a refusal for want of room.
fn is_refusal(answer: &Received, what: &str) -> bool {
    if answer.status != 503 {
        return false;
    }
    let body = String::from_utf8_lossy(&answer.body);
    assert!(
        body.contains(&format!("Too many {what} are waiting; nothing was changed")),
        "{body}"
    );
    assert!(answer.has_header("retry-after"), "{answer:?}");
    true
}

#[test]
fn answers_that_nobody_takes_are_held_up_to_a_limit_and_the_rest_answered_503() {
    let server = with_large_objects_of_all();
    let before = server.memory().now;
    // 4 MB an answer, and each another one, so that none is remembered.
    let mut greedy: Vec<_> = (0..100)
        .map(|number| {
            let mut connection = Connection::open(&server);
            let path = format!("/integration?limit=20&meta.{number}=1&ops=meta.{number}:ne");
            connection.send(request_of(ACCOUNTS[number % 4], "GET", &path, "").repeat(20));
            connection
        })
        .collect();

    for connection in &greedy {
        connection.wait_for_something();
    }

    is_served(&server);
    let more = server.memory().most - before;
    assert!(more < 350 * MIB, "{more} bytes for 100 answers");

    let answers = greedy.iter_mut().map(Connection::receive);
    let (refused, given): (Vec<_>, Vec<_>) =
        answers.partition(|answer| is_refusal(answer, "large answers"));

    assert!(!refused.is_empty(), "there is room for all");
    for answer in &given {
        assert_eq!(answer.json()["data"].as_array().unwrap().len(), 20);
    }

    assert!(given.len() > 32, "{} were given", given.len());
}

#[test]
fn the_same_answer_for_many_is_held_once() {
    let server = with_large_objects();
    let before = server.memory().now;
    // 1 MB an answer, and remembered.
    let greedy: Vec<_> = (0..200)
        .map(|_| {
            let mut connection = Connection::open(&server);
            connection.send(request("GET", "/integration?limit=5", "").repeat(20));
            connection
        })
        .collect();

    for connection in &greedy {
        connection.wait_for_something();
    }

    is_served(&server);
    let more = server.memory().most - before;
    assert!(
        more < 100 * MIB,
        "{more} bytes for the same megabyte 200 times"
    );
}

#[test]
fn a_write_whose_answer_finds_no_room_is_refused_before_it_is_done() {
    let server = with_large_objects();
    let client = server.client("t");
    let ids: Vec<String> = client.get("/integration?limit=20&select=id").json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["id"].as_str().unwrap().to_owned())
        .collect();

    // Until there is room for no more than the smallest of them.
    let mut greedy = Vec::new();
    for limit in [20, 10, 5, 2, 1] {
        let path = format!("/integration?limit={limit}");
        for _ in 0..200 {
            let mut connection = Connection::open(&server);
            connection.send(request("GET", &path, "").repeat(100 / limit));
            connection.wait_for_something();
            greedy.push(connection);
            if is_refused(&client, &path) {
                break;
            }
        }
    }

    let mut refused = 0;
    for id in &ids {
        let answer = client.put(&format!("/integration/{id}"), &json!({ "enabled": false }));
        assert!(answer.status == 200 || answer.status == 503, "{answer:?}");
        let enabled = &client
            .get(&format!("/integration/{id}?select=enabled"))
            .json()["enabled"];
        assert_eq!(*enabled, answer.status == 503, "{}", answer.text());
        refused += usize::from(answer.status == 503);
    }

    assert!(refused > 0, "there is room for the answers to all writes");
    // Whatever room the last answers left, there is none for this one.
    let mut larger = large();
    larger["meta"] = json!({ "x": "x".repeat(900_000) });
    assert_eq!(client.post("/integration", &larger).status, 503);
    assert_eq!(
        client.get("/integration?limit=1&select=id").json()["total_count"],
        ids.len()
    );
}

fn is_refused(client: &Client, path: &str) -> bool {
    client.get(path).status == 503
}

#[test]
fn requests_one_behind_the_other_wait_with_the_client() {
    let server = with_large_objects();
    let before = server.memory().now;
    let smallest = "GET / HTTP/1.1\r\nhost:x\r\n\r\n".repeat(300_000);
    let mut eager: Vec<_> = (0..60).map(|_| Connection::open(&server)).collect();

    for connection in &mut eager {
        // This answer is 4 MB, and not taken.
        connection.send(request("GET", "/integration?limit=20", ""));
        connection
            .send_what_is_taken(smallest.as_bytes(), Duration::from_millis(20))
            .unwrap();
    }

    is_served(&server);
    let more = server.memory().most - before;
    assert!(
        more < 310 * MIB,
        "{more} bytes for 60 connections, of which the answers are 240 MB"
    );
}

#[test]
fn bodies_that_never_end_are_held_up_to_a_limit_and_the_rest_answered_503() {
    let server = with_large_objects();
    let before = server.memory().now;
    let nearly_all = " ".repeat(1_000_000);
    let mut slow: Vec<_> = (0..300).map(|_| Connection::open(&server)).collect();
    let mut accounts = ACCOUNTS.iter().cycle();

    // Who is refused may be hung up on before all is sent.
    let hung_up_on = slow.extract_if(.., |connection| {
        let account = accounts.next().unwrap();
        connection.send(format!(
            "POST /integration HTTP/1.1\r\nhost: x\r\nauthorization: {account}\r\ncontent-length: 1000001\r\n\r\n"
        ));
        connection.send_what_is_taken(nearly_all.as_bytes(), Duration::from_secs(60)).is_err()
    });

    let hung_up_on = hung_up_on.count();
    is_served(&server);
    let more = server.memory().most - before;

    assert!(more < 200 * MIB, "{more} bytes for 300 bodies");

    let answers: Vec<Received> = slow
        .iter_mut()
        .map(Connection::hang_up_and_receive)
        .collect();
    let refused = answers
        .iter()
        .filter(|answer| is_refusal(answer, "large bodies"))
        .count();
    assert!(
        refused > 0,
        "there is room for all, or all {hung_up_on} were hung up on"
    );
    assert!(
        refused + hung_up_on < 200,
        "{refused} and {hung_up_on} of 300 were refused"
    );
}
