//! Events of third parties: their responses, and the alerts and logs that they create.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::{Value, json};
use std::thread;

/// An account whose integrations receive events.
pub(crate) struct Fixture {
    pub(crate) server: TestServer,
    pub(crate) account: Caller,
}

impl Fixture {
    pub(crate) fn open() -> Self {
        let server = TestServer::start();
        let account = server.account("ops");
        Self { server, account }
    }

    pub(crate) fn integration(&self, more: Value) -> String {
        let mut body = json!({"name": "n", "type": "webhook", "destination_ids": ["tem_1"], "urgency": "high"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        id(&self.account.created_from(body)).to_owned()
    }

    pub(crate) fn send(&self, integration: &str, body: Value) -> Response {
        self.server.anonymous().send(
            "POST",
            &format!("/integration/{integration}"),
            Some(&body.to_string()),
        )
    }

    fn all(&self, kind: &str) -> Vec<Value> {
        let list = self
            .account
            .send("GET", &format!("/{kind}?limit=100"), None)
            .assert_status(200)
            .json();
        list["data"].as_array().unwrap().clone()
    }

    pub(crate) fn alerts(&self) -> Vec<Value> {
        self.all("alert")
    }

    pub(crate) fn last_log(&self) -> Value {
        let list = self
            .account
            .send("GET", "/log?limit=1&sort=-tinyId", None)
            .assert_status(200)
            .json();
        list["data"][0].clone()
    }

    pub(crate) fn step(&self, alert: &Value, step: &str) -> Response {
        self.account
            .send("POST", &format!("/alert/{}/{step}", id(alert)), None)
    }
}

pub(crate) fn event(kind: &str, thirdparty_id: &str) -> Value {
    json!({"event_type": kind, "id": thirdparty_id, "title": "It broke", "description": "at night"})
}

#[test]
fn an_event_creates_an_alert_and_a_log() {
    let desk = Fixture::open();
    let integration = desk.integration(json!({"destination_ids": ["tem_1", "usr_2"]}));
    let sender = desk
        .server
        .anonymous()
        .with("User-Agent", "watchdog/1")
        .with("Pagertree-Token", "s3cret");
    let body = event("create", "job-7").to_string();
    let answer = sender.send(
        "POST",
        &format!("/integration/{integration}?from=here"),
        Some(&body),
    );
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));

    let [alert] = desk.alerts().try_into().unwrap();
    let log = desk.last_log();
    for (name, expected) in [
        ("thirdparty_id", json!("job-7")),
        ("destination_ids", json!(["tem_1", "usr_2"])),
        ("title", json!("It broke")),
        ("description", json!("at night")),
        ("type", json!("alert")),
        ("subtype", json!("alert")),
        ("status", json!("open")),
        ("urgency", json!("high")),
        ("s_log_id", log["id"].clone()),
        ("source_id", json!(integration)),
        ("tags", json!([])),
        ("additional_data", json!([])),
        ("acknowledged", Value::Null),
        ("tinyId", json!(1)),
        ("meta", json!({})),
    ] {
        assert_eq!(alert[name], expected, "{name} in {alert:#}");
    }

    let attributes = [
        "sid",
        "id",
        "createdAt",
        "updatedAt",
        "meta",
        "tinyId",
        "thirdparty_id",
        "destination_ids",
    ];
    let named: Vec<_> = alert.as_object().unwrap().keys().take(8).collect();
    assert_eq!(named, attributes);

    for (name, expected) in [
        ("type", json!("log")),
        ("subtype", json!("INCOMING")),
        ("source_id", json!(integration)),
        ("alert_id", alert["id"].clone()),
        ("thirdparty_id", json!("job-7")),
        ("action", json!("create")),
        ("outcome", json!("an alert was created")),
        ("status", json!(200)),
        ("response", Value::Null),
    ] {
        assert_eq!(log[name], expected, "{name} in {log:#}");
    }

    let request = &log["request"];
    assert_eq!(
        (&request["method"], &request["query"]),
        (&json!("POST"), &json!("from=here"))
    );
    assert_eq!(request["path"], format!("/integration/{integration}"));
    assert_eq!(request["remote"], "127.0.0.1");
    assert_eq!(request["body"], json!({"text": body, "bytes": body.len()}));
    assert_eq!(request["headers"]["user-agent"], "watchdog/1");
    assert_eq!(request["headers"]["pagertree-token"], "***");
    let path = format!("/log/{}", id(&log));
    assert_eq!(
        desk.account
            .send("GET", &path, None)
            .assert_status(200)
            .json(),
        log
    );
    assert_eq!(
        desk.account
            .send("GET", &format!("{path}?select=action"), None)
            .text,
        r#"{"action":"create"}"#
    );
    desk.server
        .account("others")
        .send("GET", &path, None)
        .assert_error(404, &["Log not found"]);
    assert_eq!(
        desk.server
            .account("others")
            .send("GET", "/log", None)
            .json()["total_count"],
        0
    );
}

#[test]
fn unintelligible_events_are_accepted_and_logged_with_the_reason() {
    let desk = Fixture::open();
    let integration = desk.integration(json!({}));
    let path = format!("/integration/{integration}");
    let anybody = desk.server.anonymous();

    for (kind, body, outcome) in [
        ("application/json", "", "'event_type' is missing"),
        (
            "application/json",
            "{\"event_type\":",
            "not JSON: line 1, column 15, unexpected end of an object",
        ),
        (
            "application/json",
            "[[[[",
            "not JSON: line 1, column 5, unexpected end of an array",
        ),
        ("text/plain", "hello", "the body is neither JSON nor a form"),
        (
            "application/json",
            r#"{"event_type":"explode"}"#,
            "'event_type' is 'explode', which stands for no action",
        ),
        (
            "application/json",
            r#"{"event_type":"create"}"#,
            "no alert was created because the event has no title",
        ),
        (
            "application/json",
            r#"{"event_type":"resolve"}"#,
            "there is no alert with this id to be resolved",
        ),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nbroken",
            "'event_type' is missing",
        ),
    ] {
        let answer = anybody
            .with("Content-Type", kind)
            .send("POST", &path, Some(body));
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{body}");
        assert_eq!(desk.last_log()["outcome"], outcome, "{body}");
    }

    assert_eq!(
        anybody
            .send(
                "GET",
                &format!("{path}/g?event_type=create&id=1&title=t"),
                None
            )
            .status,
        200
    );
    let form = "--x\r\nContent-Disposition: form-data; name=\"event_type\"\r\n\r\nacknowledge\r\n\
                --x\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n1\r\n--x--\r\n";
    let multipart = anybody.with("Content-Type", "multipart/form-data; boundary=x");
    multipart
        .send("POST", &format!("{path}/g"), Some(form))
        .assert_status(200);
    assert_eq!(desk.alerts()[0]["status"], "acknowledged");
    assert_eq!(desk.all("log").len(), 10);
}

#[test]
fn events_for_disabled_or_unknown_integrations_are_refused() {
    let desk = Fixture::open();
    desk.send("int_doesnotEx", event("create", "1"))
        .assert_error(404, &["Integration not found"]);

    let disabled = desk.integration(json!({"enabled": false}));
    let answer = desk.send(&disabled, event("create", "1"));
    assert_eq!((answer.status, answer.text.as_str()), (405, ""));

    // What its path allows while it takes no events.
    assert_eq!(
        answer.header("allow"),
        Some("DELETE, GET, HEAD, OPTIONS, PUT")
    );
    assert_eq!(desk.last_log()["action"], "disabled");

    let answer = desk
        .send(&format!("{disabled}/g"), event("create", "1"))
        .assert_status(405);

    assert_eq!(answer.header("allow"), Some("OPTIONS"));
    let guarded = desk.integration(json!({"options": {"token": "s3cret"}}));
    let answer = desk.send(&guarded, event("create", "1"));

    assert_eq!((answer.status, answer.text.as_str()), (403, ""));
    assert_eq!(desk.last_log()["action"], "blocked");
    let tolerant = desk.integration(json!({"type": "elastalert", "enabled": false}));

    desk.send(&tolerant, event("create", "1"))
        .assert_status(200);
    assert_eq!(desk.alerts(), [Value::Null; 0]);
}

#[test]
fn rate_limited_events_get_retry_after() {
    let server = TestServer::with(|settings| settings.limits.events_per_minute = 2);
    let account = server.account("ops");
    let [one, other] =
        ["a", "b"].map(|name| format!("/integration/{}", id(&account.created(name))));
    let anybody = server.anonymous();
    for _ in 0..2 {
        anybody.send("POST", &one, Some("{}")).assert_status(200);
    }
    let refused = anybody.send("POST", &one, Some("{}"));
    refused.assert_error(429, &["Too many events of this integration"]);
    anybody.send("POST", &other, Some("{}")).assert_status(200);
}

#[test]
fn concurrent_equal_events_create_one_alert() {
    let desk = Fixture::open();
    let integration = desk.integration(json!({}));
    for round in 0..5 {
        thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| {
                    desk.send(&integration, event("create", &round.to_string()))
                        .assert_status(200)
                });
            }
        });
    }

    assert_eq!(desk.alerts().len(), 5);
    let logs = desk
        .account
        .send(
            "GET",
            "/log?action=create&outcome=already&ops=outcome:contains",
            None,
        )
        .json();
    assert_eq!(logs["total_count"], 5 * 31);
}

#[test]
fn the_first_event_of_a_ticket_creates_an_alert() {
    let desk = Fixture::open();
    let integration = desk.integration(json!({"type": "freshdesk"}));
    let ticket = |status: &str| {
        let ticket = json!({"ticket_id": 7, "ticket_subject": "No mail", "ticket_status": status});
        desk.send(&integration, json!({"freshdesk_webhook": ticket}))
            .assert_status(200);
        desk.alerts()
            .iter()
            .map(|alert| alert["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    assert_eq!(ticket("Waiting for Godot"), ["open"]);
    assert_eq!(ticket("Waiting for Godot"), ["open"]);
    assert_eq!(desk.last_log()["action"], "other");
    assert_eq!(ticket("Resolved"), ["resolved"]);
    assert_eq!(ticket("Waiting for Godot"), ["resolved"]);
    assert_eq!(ticket("Open"), ["resolved", "open"]);
}

#[test]
fn senders_that_read_the_response_get_a_body() {
    let desk = Fixture::open();
    let integration = desk.integration(json!({"type": "twilio_livecallrouting"}));
    let call = desk
        .server
        .anonymous()
        .with("Content-Type", "application/x-www-form-urlencoded");
    let answer = call.send(
        "POST",
        &format!("/integration/{integration}"),
        Some("CallSid=CA1&From=%2B15550100"),
    );
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/xml"))
    );
    assert!(answer.text.contains("<Response>"), "{}", answer.text);
    assert_eq!(desk.alerts()[0]["thirdparty_id"], "CA1");
}

#[test]
fn generated_ids_have_the_format_of_their_type() {
    let desk = Fixture::open();
    for (kind, body, length) in [
        ("webhook", json!({"event_type": "create", "title": "t"}), 36),
        (
            "hetrix_tools",
            json!({"resource_usage": {"resource_type": "cpu"}, "monitor_name": "db-1"}),
            32,
        ),
        (
            "zabbix",
            json!({"event_value": "{EVENT.VALUE}", "title": "test"}),
            26,
        ),
    ] {
        let integration = desk.integration(json!({"type": kind}));
        desk.send(&integration, body).assert_status(200);
        let alert = desk.alerts().pop().unwrap();
        assert_eq!(alert["source_id"], integration.as_str(), "{kind}");
        assert_eq!(
            alert["thirdparty_id"].as_str().map(str::len),
            Some(length),
            "{kind}"
        );
    }
}
