//! Custom definitions: which of them are refused when they are written, and what an error costs.

use crate::{
    callers::id,
    events::Fixture,
    smtp::{Client, alerts, integration, start},
};
use serde_json::json;

fn draft(kind: &str, definition: &str) -> String {
    json!({
        "name": "n", "type": kind, "destination_ids": [],
        "options": {"custom_definition": definition, "custom_definition_enabled": true},
    })
    .to_string()
}

#[test]
fn invalid_definitions_are_refused_with_place_and_reason() {
    let fixture = Fixture::open();
    for (definition, expected) in [
        ("rules: [", "line 1"),
        ("- a list", "not a mapping"),
        ("rules: {}", "rules: must be a list"),
        ("rules: [{actions: []}]", "rules[0]: 'match' is missing"),
        (
            "rules: [{match: {a: 1}}]",
            "rules[0].actions: must be a list",
        ),
        (
            "rules: [{match: {a: {$near: 1}}, actions: []}]",
            "rules[0].match.a.$near: unknown operator '$near'",
        ),
        (
            "rules: [{match: {$or: [{a: {$regex: '('}}]}, actions: []}]",
            "rules[0].match.$or[0].a.$regex: invalid regular expression",
        ),
        (
            "rules: [{match: {$timeBetween: {timezone: Mars}}, actions: []}]",
            "unknown time zone 'Mars'",
        ),
        (
            "rules: [{match: {a: 1}, actions: [{type: shout}]}]",
            "rules[0].actions[0].type: must be one of",
        ),
        (
            "default: {actions: [{type: create, tags: ['{{nonsense 1}}']}]}",
            "default.actions[0].tags[0]: unknown helper 'nonsense'",
        ),
    ] {
        for kind in ["custom_webhook", "email"] {
            let answer =
                fixture
                    .account
                    .send("POST", "/integration", Some(&draft(kind, definition)));
            let text = answer.assert_status(400).text.clone();
            assert!(
                text.contains("options.custom_definition") && text.contains(expected),
                "{definition}: {text}"
            );
        }
    }

    let valid = "rules: [{match: {a: 1}, actions: [{type: create, title: '{{a}}'}]}]";
    let created = fixture
        .account
        .send(
            "POST",
            "/integration",
            Some(&draft("custom_webhook", valid)),
        )
        .assert_status(200)
        .json();
    let path = format!("/integration/{}", id(&created));
    let change = json!({"options": {"custom_definition": "rules: ["}}).to_string();
    fixture
        .account
        .send("PUT", &path, Some(&change))
        .assert_status(400);
    let other = json!({"name": "other"}).to_string();
    fixture
        .account
        .send("PUT", &path, Some(&other))
        .assert_status(200);

    let unused = json!({"name": "n", "type": "webhook", "destination_ids": [], "options": {"custom_definition": "rules: ["}});
    fixture
        .account
        .send("POST", "/integration", Some(&unused.to_string()))
        .assert_status(200);
}

#[test]
fn an_error_costs_its_own_field_and_is_logged() {
    let fixture = Fixture::open();
    let definition = "
rules:
  - match: {log.data.n: {$regex: '(?=(a|a)+$)x'}, log.data.big: {$gt: 1}}
    actions: [{type: resolve, thirdparty_id: x}]
  - match: {log.headers.X-Source: probe, log.data.state: {$regex: '^down(?!time)', $options: i}}
    actions:
      - type: create
        title: '{{log.data.state}} at {{log.data.place}}'
        description: '{{divide 1 log.data.zero}}'
        thirdparty_id: '{{log.data.id}}'
        tags: ['{{JSONparse log.data.state}}', ok]
        additional_data:
          - {format: text, label: Sum, value: '{{add log.data.id 1}}'}
          - {format: text, label: Bad, value: '{{add log.data.id log.data.state}}'}
";
    let integration = fixture.integration(
        json!({"type": "custom_webhook", "options": {"custom_definition": definition}}),
    );
    let body = json!({"state": "Down now", "place": "db-1", "zero": 0, "id": 7});
    fixture
        .server
        .anonymous()
        .with("x-source", "probe")
        .send(
            "POST",
            &format!("/integration/{integration}"),
            Some(&body.to_string()),
        )
        .assert_status(200);

    let alert = fixture.alerts().remove(0);
    assert_eq!(alert["title"], "Down now at db-1");
    assert_eq!(alert["thirdparty_id"], "7");
    assert_eq!(alert["tags"], json!(["ok"]));
    assert_eq!(
        alert["additional_data"],
        json!([{"type": "text", "label": "Sum", "value": "8"}])
    );

    let log = fixture.last_log();
    let outcome = log["outcome"].as_str().unwrap();
    for part in [
        "an alert was created",
        "rules[1].actions[0].description: helper 'divide': division by zero",
        "rules[1].actions[0].tags[0]: helper 'JSONparse': not JSON",
        "rules[1].actions[0].additional_data[1].value: helper 'add'",
    ] {
        assert!(outcome.contains(part), "{outcome}");
    }
}

#[test]
fn a_failing_title_template_is_logged() {
    let fixture = Fixture::open();
    let integration = fixture.integration(json!({"options": {
        "title_template": "{{divide 1 data.zero}}", "title_template_enabled": true,
        "description_template": "{{integration.name}} {{log.method}} {{data.Title}}", "description_template_enabled": true,
    }}));
    fixture
        .send(
            &integration,
            json!({"event_type": "create", "Id": "1", "Title": "Disk", "zero": 0}),
        )
        .assert_status(200);

    let alert = fixture.alerts().remove(0);
    assert_eq!(
        (&alert["title"], &alert["description"]),
        (&json!("Disk"), &json!("n POST Disk"))
    );
    let outcome = fixture.last_log()["outcome"].clone();
    assert_eq!(
        outcome,
        "an alert was created; options.title_template: helper 'divide': division by zero"
    );
}

#[test]
fn forms_of_mail_services_are_messages() {
    let fixture = Fixture::open();
    let integration = fixture.integration(json!({"type": "email"}));
    let form = |fields: &[(&str, &str)]| {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish()
    };

    for body in [
        form(&[
            (
                "headers",
                "Message-ID: <s1@x>\nContent-Type: multipart/mixed; boundary=z\nSubject: Disk\n full",
            ),
            ("from", "Ops <ops@example.com>"),
            ("to", "int@x"),
            ("subject", "Disk full"),
            ("text", "on db-1"),
        ]),
        form(&[
            ("recipient", "int@x"),
            ("from", "ops@example.com"),
            ("Subject", "ignored"),
            (
                "message-headers",
                r#"[["Message-Id", "<s2@x>"], ["Subject", "Disk full"]]"#,
            ),
            ("body-plain", "plain"),
            ("body-html", "<p>on db-1</p><script>x</script>"),
        ]),
        form(&[(
            "email",
            "From: ops@example.com\r\nSubject: Disk full\r\n\r\non db-1\r\n",
        )]),
    ] {
        fixture
            .server
            .anonymous()
            .with("content-type", "application/x-www-form-urlencoded")
            .send("POST", &format!("/integration/{integration}"), Some(&body))
            .assert_status(200);
        let alerts = fixture.alerts();
        let alert = alerts.last().unwrap();
        assert_eq!(alert["title"], "Disk full", "{body}");
        let description = alert["description"].as_str().unwrap().trim();
        assert!(
            ["on db-1", "<p>on db-1</p>"].contains(&description),
            "{description}"
        );
        assert_eq!(
            alert["additional_data"][0]["value"],
            json!(["ops@example.com"])
        );
    }
    assert_eq!(fixture.alerts().len(), 3);
}

#[test]
fn tagged_addresses_reach_the_integration() {
    let server = start();
    let me = server.account("me");
    let id = integration(&me, "email");
    let mut client = Client::greeted(server.mail_address());
    for address in [format!("a+{id}"), format!("{id}+urgent")] {
        let reply = client.mail(&[&address], "Subject: x\r\n\r\nb\r\n");
        assert!(reply.starts_with("250 "), "{address}: {reply}");
    }
    assert_eq!(alerts(&me).len(), 2);
}
