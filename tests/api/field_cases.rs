//! What real senders send, from `../shared/field`: each request becomes what its sender would
//! expect. Without the folder nothing runs, and that is said.

use crate::{
    callers::{Caller, id},
    connection::Connection,
    server::TestServer,
    smtp, stderr,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Of a case: its alerts as status and title, and a part of its last log's outcome or of its last
/// alert.
struct Expected {
    name: &'static str,
    alerts: &'static [(&'static str, &'static str)],
    part: &'static str,
}

const fn expect(
    name: &'static str,
    alerts: &'static [(&'static str, &'static str)],
    part: &'static str,
) -> Expected {
    Expected { name, alerts, part }
}

/// One open alert with any title.
const ANY_ALERT: &[(&str, &str)] = &[("open", "")];
const DISK: &[(&str, &str)] = &[("open", "Disk full on db-1")];

const EXPECTED: [Expected; 36] = [
    expect(
        "am-longkey",
        &[("resolved", "KubePodCrashLooping")],
        "resolved",
    ),
    expect(
        "array",
        &[("open", "Disk full on db-1"), ("open", "Disk full on db-1")],
        "created",
    ),
    expect("bom", DISK, "created"),
    expect(
        "cronitor-caps",
        &[("resolved", "Nightly backup")],
        "resolved",
    ),
    expect("cw-baddatum", &[("open", "Disk full")], "\"value\":\"4\""),
    expect("cw-url", ANY_ALERT, "from 127.0.0.1 http://"),
    expect("deepjson", &[], "nested deeper than 127"),
    expect(
        "def-email-regex",
        &[("resolved", "Build FAILED")],
        "nightly-7",
    ),
    expect(
        "def-time-helper",
        &[("open", "db-1 is bad")],
        "2025-11-27 18:00",
    ),
    expect(
        "def-time-operators",
        &[("open", "Shop is Down")],
        "\"urgency\":\"high\"",
    ),
    expect("double-encoded", DISK, "created"),
    expect("form-as-json", &[("open", "Shop is down")], "created"),
    expect("form-noct", &[("open", "Shop is down")], "created"),
    expect("gzip", DISK, "created"),
    expect(
        "jira-context",
        &[("open", "Mail is down")],
        "https://intern.example/jira/browse/OPS-15",
    ),
    expect(
        "latin1-form-charset",
        &[("open", "Sensor 2042 Speicherplatz Kühlhaus is DOWN")],
        "Server Über",
    ),
    expect(
        "latin1-json-charset",
        &[("open", "Gerät überlastet")],
        "created",
    ),
    expect("latin1-scom", &[("open", "Dienst läuft nicht")], "created"),
    expect("m-bom", &[("open", "bom")], "mon@example.com"),
    expect("m-empty-nobl", &[("open", "Backup FAILED")], "created"),
    expect(
        "m-noclose",
        &[("open", "no closing boundary")],
        "Disk is full on db-1",
    ),
    expect("m-repeat", &[("open", "[PROBLEM] disk")], "replies to one"),
    expect(
        "mail-thread",
        &[("open", "[PROBLEM] disk")],
        "replies to one",
    ),
    expect("multipart-unclosed", &[("open", "Help 5")], "created"),
    expect("nan", &[("open", "ratio broken")], "created"),
    expect("nr-deactivated", &[], "'state' is 'DEACTIVATED'"),
    expect("nr-trailing", &[("open", "High CPU")], "created"),
    expect("raw-newline", &[("open", "Server DOWN")], "created"),
    expect("reserved-key", &[], "$serde_json::private::"),
    expect("sns-raw", &[("open", "cpu-high")], "created"),
    expect(
        "tpl-email",
        &[("open", "mon@example.com: disk full")],
        "to a@x.example: body text",
    ),
    expect("tpl-helpers", &[("open", "x 4")], "created"),
    expect("tpl-missing", &[("open", "(db-1) T")], "created"),
    expect("trailing-comma", &[("open", "Checkout slow")], "created"),
    expect("utf16", DISK, "created"),
    expect(
        "zabbix-service",
        &[
            ("resolved", "Problem: service Web"),
            ("open", "Problem: service Mail"),
        ],
        "resolved",
    ),
];

fn send(server: &TestServer, integration: &str, request: &Value) {
    let headers = request["headers"].as_object().unwrap();
    let caller = headers
        .iter()
        .fold(server.anonymous(), |caller, (name, value)| {
            caller.with(name, value.as_str().unwrap())
        });

    let body = match request["body_base64"].as_str() {
        Some(encoded) => BASE64_STANDARD.decode(encoded).unwrap(),
        None => request["body"].as_str().unwrap().into(),
    };

    let path = format!(
        "/integration/{integration}{}",
        request["path_suffix"].as_str().unwrap()
    );

    caller
        .send_bytes(request["method"].as_str().unwrap(), &path, &body)
        .assert_status(200);
}

fn list(account: &Caller, path: &str) -> Vec<Value> {
    account.send("GET", path, None).assert_status(200).json()["data"]
        .as_array()
        .unwrap()
        .clone()
}

fn fault(server: &TestServer, case: &Value, expected: &Expected) -> Option<String> {
    let account = server.account(expected.name);
    let integration = account
        .created_from(json!({"name": "n", "type": case["type"], "destination_ids": [], "options": case["options"]}));
    let requests = case["request"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![case["request"].clone()]);

    requests
        .iter()
        .for_each(|request| send(server, id(&integration), request));

    let alerts = list(&account, "/alert?limit=100");
    let found: Vec<_> = alerts
        .iter()
        .map(|alert| {
            (
                alert["status"].as_str().unwrap(),
                alert["title"].as_str().unwrap(),
            )
        })
        .collect();
    let log = list(&account, "/log?sort=-tinyId&limit=1").remove(0);
    let shown = format!(
        "{} {}",
        log["outcome"],
        alerts.last().map_or(Value::Null, Clone::clone)
    );
    let is_any = expected.alerts == ANY_ALERT && matches!(found[..], [("open", _)]);
    let is_right = (is_any || found == expected.alerts) && shown.contains(expected.part);

    (!is_right).then(|| format!("{}: {found:?}, {shown}", expected.name))
}

/// Plays a case with an account of its own.
type Scenario = fn(&TestServer, &Caller);

/// The cases that a plain request cannot express, each with what its sender needs.
const DESCRIBED: [(&str, Scenario); 8] = [
    ("definition-not-checked", |_, account| {
        let options = json!({"custom_definition": "rules: ["});
        let draft = json!({"name": "n", "type": "custom_webhook", "destination_ids": [], "options": options});
        account.create(draft).assert_status(400);
    }),
    ("http-413-429-414-no-log", |server, account| {
        let path = path_of(account, "webhook");
        let anonymous = server.anonymous();
        anonymous
            .send("POST", &path, Some(&"x".repeat(1_100_000)))
            .assert_status(413);
        let title = "x".repeat(9_000);
        anonymous
            .send(
                "GET",
                &format!("{path}/g?event_type=create&Id=long&Title={title}"),
                None,
            )
            .assert_status(414);
        assert_eq!(statuses(account), [json!(414), json!(413)]);
    }),
    ("http-double-slash", |server, account| {
        let path = format!("/{}", path_of(account, "webhook"));
        let body = r#"{"event_type":"create","Id":"1","Title":"t"}"#;
        server
            .anonymous()
            .send("POST", &path, Some(body))
            .assert_status(200);
        assert_eq!(titles(account), [json!("t")]);
    }),
    ("http-query-raw-utf8", |server, account| {
        let path = path_of(account, "webhook");
        let title = "Küche \"<2>\"";
        let line = format!("GET {path}/g?event_type=create&Id=u8&Title={title} HTTP/1.1");
        Connection::open(server)
            .request(&line, "")
            .receive()
            .assert_status(200);
        assert_eq!(titles(account), [json!(title)]);
    }),
    ("m-big-http", |server, account| {
        let path = path_of(account, "email");
        let message = format!("Subject: big\r\n\r\n{}", "x".repeat(1_400_000));
        server
            .anonymous()
            .with("Content-Type", "message/rfc822")
            .send("POST", &path, Some(&message))
            .assert_status(200);
        assert_eq!(titles(account), [json!("big")]);
    }),
    ("smtp-lowercased", |server, account| {
        mail(server, &id_of(account, "email").to_lowercase(), "x");
        assert_eq!(titles(account), [json!("x")]);
    }),
    ("smtp-plus", |server, account| {
        mail(server, &format!("a+{}", id_of(account, "email")), "x");
        assert_eq!(titles(account), [json!("x")]);
    }),
    ("smtp-too-big", |server, account| {
        let id = id_of(account, "email");
        let message = format!("Subject: x\r\n\r\n{}\r\n", "x\r\n".repeat(1_800_000));
        let reply = smtp::Client::greeted(server.mail_address()).mail(&[&id], &message);
        assert!(reply.starts_with("552 "), "{reply}");
        assert_eq!(statuses(account), [json!(552)]);
    }),
];

fn id_of(account: &Caller, kind: &str) -> String {
    id(&account.created_from(json!({"name": "n", "type": kind, "destination_ids": []}))).to_owned()
}

fn path_of(account: &Caller, kind: &str) -> String {
    format!("/integration/{}", id_of(account, kind))
}

fn titles(account: &Caller) -> Vec<Value> {
    let alerts = list(account, "/alert?limit=100");
    alerts.iter().map(|alert| alert["title"].clone()).collect()
}

fn statuses(account: &Caller) -> Vec<Value> {
    let logs = list(account, "/log?sort=-tinyId&limit=100");
    logs.iter().map(|log| log["status"].clone()).collect()
}

fn mail(server: &TestServer, name: &str, subject: &str) {
    let message = format!("From: mon@example.com\r\nSubject: {subject}\r\n\r\nbody\r\n");
    let reply = smtp::Client::greeted(server.mail_address()).mail(&[name], &message);
    assert!(reply.starts_with("250 "), "{reply}");
}

/// The names of all cases in the folder.
fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn shared_field_cases_have_the_expected_outcome() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/field");
    if !folder.exists() {
        stderr::print("no case of ../shared/field ran: it is not there");
        return;
    }

    let server = smtp::start();
    let mut faults = Vec::new();
    for expected in &EXPECTED {
        let text = fs::read(folder.join(format!("{}.json", expected.name))).unwrap();
        faults.extend(fault(
            &server,
            &serde_json::from_slice(&text).unwrap(),
            expected,
        ));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    for (name, run) in DESCRIBED {
        run(&server, &server.account(name));
    }

    let plain = EXPECTED.iter().map(|expected| expected.name);
    let mut ran: Vec<_> = plain.chain(DESCRIBED.map(|(name, _)| name)).collect();
    ran.sort_unstable();
    assert_eq!(ran, names(&folder), "every case runs");
    stderr::print(&format!(
        "{} cases of ../shared/field ran, and passed",
        ran.len()
    ));
}
