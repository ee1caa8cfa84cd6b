//! Queries of events as small devices and people send them: typed, not percent-encoded.

use crate::{
    callers::{Caller, id},
    connection::Connection,
    server::TestServer,
};
use serde_json::{Value, json};

struct Fixture {
    server: TestServer,
    account: Caller,
    path: String,
}

impl Fixture {
    fn start() -> Self {
        let server = TestServer::start();
        let account = server.account("ops");
        let integration =
            account.created_from(json!({"name": "n", "type": "webhook", "destination_ids": []}));
        let path = format!("/integration/{}", id(&integration));
        Self {
            server,
            account,
            path,
        }
    }

    fn titles(&self) -> Vec<Value> {
        let alerts = self.account.send("GET", "/alert?limit=100", None).json();
        alerts["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| alert["title"].clone())
            .collect()
    }
}

const TITLE: &str = "Küche \"2\" <x> y";

#[test]
fn raw_bytes_in_the_query_of_an_event_are_accepted() {
    let fixture = Fixture::start();
    let path = &fixture.path;
    let mut connection = Connection::open(&fixture.server);
    for head in [
        format!("GET {path}/g?event_type=create&Id=1&Title={TITLE} HTTP/1.1"),
        format!("POST //{path}?event_type=create&Id=2&Title={TITLE}&x=%20+ HTTP/1.1"),
    ] {
        connection.request(&head, "").receive().assert_status(200);
    }
    // Windows-1252
    let head = format!("GET {path}/g?event_type=create&Id=3&Title=K\u{fc}che HTTP/1.1\r\n");
    let bytes: Vec<u8> = head.chars().map(|letter| letter as u8).collect();
    connection
        .send(bytes)
        .send("Host: localhost\r\n\r\n")
        .receive()
        .assert_status(200);

    assert_eq!(fixture.titles(), [TITLE, TITLE, "Küche"]);
    let log = &fixture.account.send("GET", "/log?limit=1", None).json()["data"][0];
    let query = log["request"]["query"].as_str().unwrap();
    assert!(
        query.ends_with("Title=K%C3%BCche%20%222%22%20%3Cx%3E%20y"),
        "{query}"
    );
}

#[test]
fn raw_bytes_are_accepted_however_the_line_is_cut() {
    let fixture = Fixture::start();
    let path = &fixture.path;
    let mut connection = Connection::open(&fixture.server);
    for cut in [1, 2, 5, 17, 31, 60] {
        let head = format!(
            "GET {path}/g?event_type=create&Id={cut}&Title={TITLE} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        for piece in head.as_bytes().chunks(cut) {
            connection.send(piece);
        }
        connection.receive().assert_status(200);
    }
    assert_eq!(fixture.titles(), [TITLE; 6]);
}

#[test]
fn raw_bytes_elsewhere_are_refused() {
    let fixture = Fixture::start();
    for head in [
        "GET /alert?title=Küche HTTP/1.1".to_owned(),
        "GET /integration?name=a b HTTP/1.1".to_owned(),
        format!("GET {}/g?a=b c", fixture.path),
        format!("GET {}/ü?a=b HTTP/1.1", fixture.path),
    ] {
        Connection::open(&fixture.server)
            .request(&head, "")
            .receive()
            .assert_status(400);
    }
}

#[test]
fn query_that_grows_too_long_is_refused() {
    let fixture = Fixture::start();
    let head = format!(
        "GET {}/g?Title={} HTTP/1.1",
        fixture.path,
        "ü".repeat(2_000)
    );
    Connection::open(&fixture.server)
        .request(&head, "")
        .receive()
        .assert_status(414);
    assert_eq!(
        fixture.account.send("GET", "/log", None).json()["data"][0]["status"],
        414
    );
}

#[test]
fn headers_are_logged_in_the_order_in_which_they_arrived() {
    let fixture = Fixture::start();
    let names = [
        "Zeta",
        "Host",
        "Accept",
        "X-Empty",
        "Beta",
        "Connection",
        "Alpha",
    ];
    let lines = names.map(|name| match name {
        "Host" => "Host: localhost\r\n".to_owned(),
        "X-Empty" => "X-Empty:\r\n".to_owned(),
        "Connection" => "Connection: upgrade\r\n".to_owned(),
        name => format!("{name}: 1\r\n"),
    });
    Connection::open(&fixture.server)
        .send(format!(
            "POST {} HTTP/1.1\r\n{}\r\n",
            fixture.path,
            lines.concat()
        ))
        .receive()
        .assert_status(200);

    let log = &fixture.account.send("GET", "/log", None).json()["data"][0];
    let logged: Vec<_> = log["request"]["headers"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(logged, names.map(str::to_lowercase));
}
