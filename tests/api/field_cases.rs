//! What real senders send, from `../shared/field`: each request becomes what its sender would
//! expect. Without the folder nothing runs, and that is said.

use crate::{
    callers::{Caller, id},
    server::TestServer,
    stderr,
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

#[test]
fn shared_field_cases_have_the_expected_outcome() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/field");
    if !folder.exists() {
        stderr::print("no case of ../shared/field ran: it is not there");
        return;
    }

    let server = TestServer::start();
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
    let all = fs::read_dir(&folder).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|kind| kind == "json")
    });

    stderr::print(&format!(
        "{} of {} cases of ../shared/field ran, and passed",
        EXPECTED.len(),
        all.count()
    ));
}
