//! Dry runs: `POST /_local/integration/:id/try` says what a request would do, and keeps nothing.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

struct Fixture {
    server: TestServer,
    account: Caller,
    id: String,
}

impl Fixture {
    fn with(kind: &str, options: Value) -> Self {
        let server = TestServer::start();
        let account = server.account("ops");
        let integration = account.created_from(
            json!({"name": "n", "type": kind, "destination_ids": [], "options": options}),
        );
        let id = id(&integration).to_owned();
        Self {
            server,
            account,
            id,
        }
    }

    fn attempt(&self, input: &Value) -> crate::response::Response {
        let path = format!("/_local/integration/{}/try", self.id);
        self.account.send("POST", &path, Some(&input.to_string()))
    }

    /// The first event of a dry run.
    fn tried(&self, input: &Value) -> Value {
        let report = self.attempt(input).assert_status(200).json();
        assert_eq!(report["status"], 200, "{report}");
        report["events"][0].clone()
    }

    fn send(&self, body: &Value) {
        let path = format!("/integration/{}", self.id);
        self.server
            .anonymous()
            .send("POST", &path, Some(&body.to_string()))
            .assert_status(200);
    }

    fn list(&self, path: &str) -> Vec<Value> {
        let list = self.account.send("GET", path, None);
        list.assert_status(200).json()["data"]
            .as_array()
            .unwrap()
            .clone()
    }
}

fn event(kind: &str, id: &str, title: &str) -> Value {
    json!({"event_type": kind, "id": id, "title": title})
}

#[test]
fn dry_run_matches_the_event_and_keeps_nothing() {
    let fixture = Fixture::with("webhook", json!({}));
    let body = event("create", "job-7", "Nightly job failed");
    let tried = fixture.tried(&json!({"request": {"body": body}}));
    assert_eq!(tried["action"], "create");
    assert_eq!(tried["outcome"], "an alert was created");
    assert_eq!(tried["thirdparty_id"], "job-7");
    assert_eq!(tried["parameters"], body);
    assert!(tried["alert"]["id"].is_null(), "{tried}");
    assert!(fixture.list("/alert").is_empty() && fixture.list("/log").is_empty());

    fixture.send(&body);
    let [alert] = fixture.list("/alert").try_into().unwrap();
    assert_eq!(alert["tinyId"], 1, "a dry run uses up no number");
    for name in [
        "title",
        "description",
        "urgency",
        "status",
        "thirdparty_id",
        "tags",
    ] {
        assert_eq!(alert[name], tried["alert"][name], "{name}");
    }

    let repeated = fixture.tried(&json!({"request": {"body": body}}));
    assert_eq!(repeated["alert"]["id"], alert["id"]);
    let resolved = fixture.tried(&json!({"request": {"body": event("resolve", "job-7", "")}}));
    assert_eq!(resolved["outcome"], "the alert was resolved");
    assert_eq!(resolved["alert"]["status"], "resolved");
    assert_eq!(fixture.list("/alert")[0]["status"], "open");
    assert_eq!(fixture.list("/log").len(), 1);
}

#[test]
fn events_of_one_request_see_each_other() {
    let fixture = Fixture::with("webhook", json!({}));
    let body = json!([
        event("create", "1", "a"),
        event("resolve", "1", ""),
        event("x", "1", "")
    ]);
    let report = fixture.attempt(&json!({"request": {"body": body}})).json();
    let outcomes: Vec<_> = report["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            (
                event["action"].as_str().unwrap(),
                event["alert"]["status"].clone(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("create", json!("open")),
            ("resolve", json!("resolved")),
            ("other", json!(null))
        ]
    );
    assert!(fixture.list("/alert").is_empty());
}

#[test]
fn rule_rendered_templates_and_errors_are_shown_by_field() {
    let definition = r#"
rules:
  - match: {log.data.state: up}
    actions: [{type: ignore}]
  - match: {log.data.state: down}
    actions:
      - type: create
        title: "{{uppercase log.data.host}} is down"
        description: "{{itemAt log.data.list}}"
        thirdparty_id: "fixed"
        tags: ["{{log.method}}"]
"#;
    let fixture = Fixture::with("custom_webhook", json!({}));
    let tried = fixture.tried(&json!({
        "request": {"body": {"state": "down", "host": "db-1"}},
        "options": {"custom_definition": definition},
    }));
    assert_eq!(tried["rule"], "rules[1].actions[0]", "{tried}");
    assert_eq!(
        tried["rendered"]["rules[1].actions[0].title"],
        "DB-1 is down"
    );
    assert_eq!(tried["rendered"]["rules[1].actions[0].tags[0]"], "POST");
    assert_eq!(tried["alert"]["title"], "DB-1 is down");
    assert_eq!(tried["alert"]["thirdparty_id"], "fixed");

    let refused = fixture.attempt(&json!({
        "request": {}, "options": {"custom_definition": "rules: ["},
    }));
    let text = &refused.assert_status(400).text;
    assert!(text.contains("options.custom_definition"), "{text}");
    assert_eq!(
        fixture.account.get(&fixture.id).json()["options"],
        json!({})
    );
}

#[test]
fn failed_templates_are_named() {
    let options = json!({
        "title_template": "{{#if}",
        "title_template_enabled": true,
        "description_template": "{{data.title}}!",
        "description_template_enabled": true,
    });
    let fixture = Fixture::with("webhook", options);
    let body = event("create", "1", "own");
    let tried = fixture.tried(&json!({"request": {"body": body}}));
    assert_eq!(tried["errors"][0]["field"], "options.title_template");
    assert_eq!(tried["alert"]["title"], "own");
    assert_eq!(
        tried["rendered"],
        json!({"options.description_template": "own!"})
    );
    let outcome = tried["outcome"].as_str().unwrap();
    assert!(outcome.contains("options.title_template: "), "{outcome}");
}

#[test]
fn logged_request_can_be_tried_without_its_secret() {
    let fixture = Fixture::with("webhook", json!({"token": "super-secret-1"}));
    let path = format!("/integration/{}", fixture.id);
    fixture
        .server
        .anonymous()
        .with("Pagertree-Token", "super-secret-1")
        .with("Content-Type", "application/json; charset=iso-8859-1")
        .send_bytes(
            "POST",
            &path,
            b"{\"event_type\":\"create\",\"id\":\"1\",\"title\":\"K\xfchl\"}",
        )
        .assert_status(200);

    let [log] = fixture.list("/log").try_into().unwrap();
    let tried = fixture.tried(&json!({"log_id": log["id"], "options": {
        "title_template": "{{data.title}}haus", "title_template_enabled": true, "token": "other-secret",
    }}));
    assert_eq!(tried["event"]["title"], "Kühlhaus", "{tried}");
    assert_eq!(tried["alert"]["id"], log["alert_id"]);

    let blocked = fixture.attempt(&json!({"request": {"body": event("create", "1", "t")}}));
    assert_eq!(blocked.json()["status"], 403);
}

#[test]
fn large_logs_and_those_of_others_are_refused() {
    let fixture = Fixture::with("webhook", json!({}));
    let mut body = event("create", "1", "t");
    body["text"] = "x".repeat(70_000).into();
    fixture.send(&body);
    let [log] = fixture.list("/log").try_into().unwrap();
    let refused = fixture.attempt(&json!({"log_id": log["id"]}));
    let text = &refused.assert_status(400).text;
    assert!(text.contains("only the beginning"), "{text}");

    let stranger = fixture.server.account("stranger");
    let path = format!("/_local/integration/{}/try", fixture.id);
    let own =
        id(&stranger.created_from(json!({"name": "n", "type": "webhook", "destination_ids": []})))
            .to_owned();
    stranger
        .send("POST", &path, Some(r#"{"request":{}}"#))
        .assert_error(404, &["Integration not found"]);
    stranger
        .send(
            "POST",
            &format!("/_local/integration/{own}/try"),
            Some(&json!({"log_id": log["id"]}).to_string()),
        )
        .assert_error(404, &["Log not found"]);
    fixture
        .server
        .anonymous()
        .send("POST", &path, Some(r#"{"request":{}}"#))
        .assert_status(401);
}

#[test]
fn queries_forms_and_disabled_integrations_are_tried_as_sent() {
    let fixture = Fixture::with("webhook", json!({}));
    let get =
        json!({"request": {"method": "GET", "query": "event_type=create&id=1&title=K%C3%BCche"}});
    assert_eq!(fixture.tried(&get)["alert"]["title"], "Küche");

    let form = json!({"request": {
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        "body": "--x\r\nContent-Disposition: form-data; name=\"event_type\"\r\n\r\ncreate\r\n--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nmulti\r\n--x--\r\n",
    }});
    assert_eq!(fixture.tried(&form)["alert"]["title"], "multi");

    let strict = json!({"request": {"headers": {"X-Strict": "true"}, "body": "{\"event_type\":\"create\",}"}});
    assert_eq!(fixture.tried(&strict)["action"], "other");

    fixture
        .account
        .update(&fixture.id, json!({"enabled": false}));
    let report = fixture.attempt(&get).json();
    assert_eq!(
        (&report["status"], &report["events"][0]["action"]),
        (&json!(405), &json!("disabled"))
    );
}
