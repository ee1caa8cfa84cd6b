//! `GET /_local/events`: changes as server-sent events.

use crate::{callers::id, connection::Connection, server::TestServer};
use serde_json::{Value, json};

/// An event of the stream.
#[derive(Debug)]
struct Event {
    name: String,
    id: Option<String>,
    data: Value,
}

fn follow(server: &TestServer, token: &str, last_id: Option<&str>) -> Connection {
    let mut connection = Connection::open(server);
    let resumed = last_id.map_or_else(String::new, |id| format!("\nLast-Event-ID: {id}"));
    let head = format!("GET /_local/events HTTP/1.1\nAuthorization: {token}{resumed}");
    connection.request(&head, "");
    let head = connection.receive_head();
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    connection
}

/// The next event. The lines between, such as the sizes of chunks, are not its fields.
fn next(connection: &mut Connection) -> Event {
    let (mut name, mut id) = (String::new(), None);
    loop {
        let line = connection.line();
        match line.split_once(": ") {
            Some(("event", value)) => name = value.to_owned(),
            Some(("id", value)) => id = Some(value.to_owned()),
            Some(("data", value)) => {
                let data = serde_json::from_str(value).unwrap();
                return Event { name, id, data };
            }
            _ => {}
        }
    }
}

#[test]
fn changes_of_the_account_arrive_in_order() {
    let server = TestServer::start();
    let account = server.account("ops");
    let mut events = follow(&server, "ops", None);
    assert_eq!(next(&mut events).name, "ready");

    server.account("other").created("theirs");
    let object = account.created("disk");
    let updated = account.update(id(&object), json!({"name": "disks"})).json();
    account.delete(id(&object)).assert_status(204);

    for (name, record) in [
        ("created", &object),
        ("updated", &updated),
        ("deleted", &updated),
    ] {
        let event = next(&mut events);
        assert_eq!(event.name, name);
        assert_eq!(
            event.data,
            json!({"change": name, "sid": object["sid"], "collection": "integrations",
                   "id": object["id"], "record": record})
        );
    }
}

#[test]
fn reader_continues_after_its_last_event() {
    let server = TestServer::start();
    let account = server.account("ops");
    let mut events = follow(&server, "ops", None);
    let ready = next(&mut events);
    account.created("one");
    let first = next(&mut events);
    drop(events);
    account.created("two");

    let mut events = follow(&server, "ops", first.id.as_deref());
    assert_eq!(next(&mut events).name, "ready");
    assert_eq!(next(&mut events).data["record"]["name"], "two");

    let mut events = follow(&server, "ops", ready.id.as_deref());
    assert_eq!(next(&mut events).name, "ready");
    assert_eq!(next(&mut events).data["record"]["name"], "one");
}

#[test]
fn reader_that_misses_events_is_told_and_cut() {
    let server = TestServer::start();
    let mut events = follow(&server, "ops", Some("1-1"));
    assert_eq!(next(&mut events).name, "ready");
    let lost = next(&mut events);
    assert_eq!((lost.name.as_str(), lost.id), ("lost", None));
    // The last chunk of a response that is complete.
    assert!(events.rest_of_chunks().ends_with(b"0\r\n\r\n"));
}

#[test]
fn malformed_event_id_is_refused() {
    let server = TestServer::start();
    server
        .account("ops")
        .with("Last-Event-ID", "first")
        .send("GET", "/_local/events", None)
        .assert_error(400, &["'Last-Event-ID' must be the id of an event"]);
}

#[test]
fn shutdown_ends_the_stream() {
    let mut server = TestServer::start();
    let mut events = follow(&server, "ops", None);
    assert_eq!(next(&mut events).name, "ready");
    let stopping = server.ask_to_stop();
    assert!(events.rest_of_chunks().ends_with(b"0\r\n\r\n"));
    stopping.join().unwrap();
}
