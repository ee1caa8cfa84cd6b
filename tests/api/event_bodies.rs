//! Bodies of events that are not quite what they claim to be: read, or named in the log and kept,
//! and never lost without a word.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

/// An integration in an account of its own.
struct Receiver {
    account: Caller,
    anonymous: Caller,
    path: String,
}

impl Receiver {
    fn of(server: &TestServer, kind: &str) -> Self {
        let account = server.account(&format!("{:?}", std::time::Instant::now()));
        let integration =
            account.created_from(json!({"name": "n", "type": kind, "destination_ids": []}));
        Self {
            account,
            anonymous: server.anonymous(),
            path: format!("/integration/{}", id(&integration)),
        }
    }

    fn take(&self, kind: &str, body: &[u8]) {
        self.anonymous
            .with("Content-Type", kind)
            .send_bytes("POST", &self.path, body)
            .assert_status(200);
    }

    fn list(&self, path: &str) -> Vec<Value> {
        self.account
            .send("GET", path, None)
            .assert_status(200)
            .json()["data"]
            .as_array()
            .unwrap()
            .clone()
    }

    fn titles(&self) -> Vec<String> {
        self.list("/alert")
            .iter()
            .map(|alert| alert["title"].as_str().unwrap().to_owned())
            .collect()
    }

    fn last_log(&self) -> Value {
        self.list("/log?sort=-tinyId&limit=1").remove(0)
    }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn invalid_json_is_repaired() {
    let server = TestServer::start();
    for (kind, body) in [
        (
            JSON,
            "{\"event_type\":\"create\",\"id\":\"1\",\"title\":\"Disk full\",\"description\":\"a\nb\"}",
        ),
        (
            JSON,
            r#"{"event_type":"create","id":"1","title":"Disk full","ratio":NaN,"limit":-Infinity}"#,
        ),
        (
            JSON,
            r#"{"event_type":"create","id":"1","title":"Disk full","emoji":"\ud83d"}"#,
        ),
        (
            JSON,
            r#"{"event_type":"create","id":"1","title":"Disk full",}"#,
        ),
        (
            JSON,
            r#"{"event_type":"create","id":"1","details":,"title":"Disk full"}"#,
        ),
        (
            JSON,
            "{\"event_type\":\"create\",\"id\":\"1\",\"title\":\"Disk full\"}\0\0",
        ),
        (
            JSON,
            "{\"event_type\":\"create\",\"id\":\"1\",\"title\":\"Disk full\"}\nsent by cron",
        ),
        (
            JSON,
            r#""{\"event_type\":\"create\",\"id\":\"1\",\"title\":\"Disk full\"}""#,
        ),
        (
            FORM,
            r#"{"event_type":"create","id":"1","title":"Disk full",}"#,
        ),
        (JSON, "event_type=create&id=1&title=Disk+full"),
        ("text/plain", "event_type=create&id=1&title=Disk+full"),
        (
            FORM,
            "payload=%7B%22event_type%22%3A%22create%22%2C%22id%22%3A%221%22%2C%22title%22%3A%22Disk%20full%22%7D",
        ),
        (
            "multipart/form-data; boundary=X",
            "--X\r\nContent-Disposition: form-data; name=\"event_type\"\r\n\r\ncreate\r\n--X\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n1\r\n--X\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nDisk full\r\n",
        ),
        (
            "multipart/form-data; boundary=X",
            "--X\nContent-Disposition: form-data; name=\"event_type\"\n\ncreate\n--X\nContent-Disposition: form-data; name=\"title\"\n\nDisk full\n--X--\n",
        ),
    ] {
        let receiver = Receiver::of(&server, "webhook");
        receiver.take(kind, body.as_bytes());
        assert_eq!(
            receiver.titles(),
            ["Disk full"],
            "{kind}: {body}; {}",
            receiver.last_log()["outcome"]
        );
    }
}

#[test]
fn text_is_decoded_in_its_charset() {
    let server = TestServer::start();
    let text = r#"{"event_type":"create","id":"1","title":"Kühlhaus"}"#;
    let latin: Vec<u8> = text
        .chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap())
        .collect();
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();

    for (kind, body) in [
        (JSON, latin.clone()),
        ("application/json; charset=iso-8859-1", latin),
        (JSON, little.clone()),
        (JSON, [b"\xff\xfe".to_vec(), little].concat()),
        ("application/json; charset=utf-16be", big),
        (FORM, b"event_type=create&id=1&title=K%FChlhaus".to_vec()),
        (FORM, b"event_type=create&id=1&title=K%C3%BChlhaus".to_vec()),
    ] {
        let receiver = Receiver::of(&server, "webhook");
        receiver.take(kind, &body);
        assert_eq!(receiver.titles(), ["Kühlhaus"], "{kind}: {body:?}");
        let kept = receiver.last_log()["request"]["body"].clone();
        assert_eq!(kept["bytes"], body.len());
        assert!(kept["text"].as_str().unwrap().contains("hlhaus"), "{kept}");
    }
}

#[test]
fn each_event_of_a_request_creates_an_alert() {
    let server = TestServer::start();
    let event =
        |number: u32| json!({"event_type": "create", "id": number, "title": format!("t{number}")});
    let lines: String = (1..=3)
        .map(|number| format!("{}\n", event(number)))
        .collect();

    for body in [json!([event(1), event(2), event(3)]).to_string(), lines] {
        let receiver = Receiver::of(&server, "webhook");
        receiver.take(JSON, body.as_bytes());
        assert_eq!(receiver.titles(), ["t1", "t2", "t3"]);
        let logs = receiver.list("/log");
        assert_eq!(logs.len(), 3);
        assert_eq!(logs[1]["request"]["body"]["text"], event(2).to_string());
    }
}

#[test]
fn events_beyond_the_limit_are_logged() {
    let server = TestServer::start();
    let receiver = Receiver::of(&server, "webhook");
    let events: Vec<_> = (0..105)
        .map(|number| json!({"event_type": "create", "id": number, "title": "t"}))
        .collect();

    receiver.take(JSON, Value::from(events).to_string().as_bytes());
    assert_eq!(
        receiver.account.send("GET", "/alert", None).json()["total_count"],
        100
    );
    assert_eq!(
        receiver.last_log()["outcome"],
        "skipped 5 events: a request may have 100"
    );
}

#[test]
fn unreadable_bodies_are_logged_with_the_place_of_the_error() {
    let server = TestServer::start();
    for (kind, body, outcome) in [
        (
            "webhook",
            "{\"title\":\"a\",\"text\":\"b\nc}",
            "not JSON: line 1, column 23, raw newline in a string",
        ),
        (
            "webhook",
            "hello",
            "not JSON: line 1, column 1, neither an object nor an array",
        ),
        (
            "custom_webhook",
            "{\"title\":",
            "not JSON: line 1, column 10, unexpected end of an object",
        ),
        (
            "newrelic",
            r#"{"$serde_json::private::Number":"1"}"#,
            "a name in the body begins with the reserved prefix '$serde_json::private::'",
        ),
    ] {
        let receiver = Receiver::of(&server, kind);
        receiver.take(JSON, body.as_bytes());
        let log = receiver.last_log();

        assert_eq!(
            (&log["outcome"], &log["action"]),
            (&json!(outcome), &json!("other")),
            "{kind}"
        );
        assert_eq!(log["request"]["body"]["text"], body);
        assert!(
            receiver.titles().is_empty(),
            "{kind} makes no alert of what it cannot read"
        );
    }

    let receiver = Receiver::of(&server, "webhook");
    receiver.take("application/octet-stream", b"\x08\xff\x00\x01");
    let log = receiver.last_log();

    assert_eq!(
        log["request"]["body"],
        json!({"text": "data:application/octet-stream;base64,CP8AAQ==", "bytes": 4})
    );
}

#[test]
fn strict_mode_repairs_nothing() {
    let server = TestServer::with(|settings| settings.strict = true);
    for (kind, body) in [
        (JSON, r#"{"event_type":"create","id":"1","title":"t",}"#),
        (JSON, r#"[{"event_type":"create","id":"1","title":"t"}]"#),
        ("text/plain", "event_type=create&id=1&title=t"),
        (
            "multipart/form-data; boundary=X",
            "--X\r\nContent-Disposition: form-data; name=\"event_type\"\r\n\r\ncreate\r\n",
        ),
    ] {
        let receiver = Receiver::of(&server, "webhook");
        receiver.take(kind, body.as_bytes());
        assert!(receiver.titles().is_empty(), "{body}");
        assert_eq!(receiver.list("/log").len(), 1, "{body}");
    }
}
