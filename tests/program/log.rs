//! Log lines: what is in them, and what never is.

use crate::support::{Client, Log, Setup};
use serde_json::{Value, json};

/// One of each that nobody but its sender may know.
const SECRETS: [&str; 6] = [
    "the-bare-token",
    "the-bearer-token",
    "the-key-s-secret",
    "the-password",
    "the-value-in-a-body",
    "the-value-in-a-query",
];

/// A life with requests that carry every secret, good ones and bad ones.
fn life(setup: &Setup) -> Log {
    let server = setup.start();
    let bare = server.client("the-bare-token");
    let body = json!({
        "name": "the-value-in-a-body", "type": "webhook", "destination_ids": [], "meta": { "x": "the-value-in-a-body" },
    });

    bare.post("/integration", &body);
    bare.post(
        "/integration",
        &json!({ "name": 1, "type": "the-value-in-a-body" }),
    );
    bare.get("/integration?name=the-value-in-a-query");
    bare.get("/integration?the-value-in-a-query=1");
    server
        .client("Bearer the-bearer-token")
        .get("/no/such/route");
    Client::new(server.address)
        .with_header("x-api-key", "the-key")
        .with_header("x-api-secret", "the-key-s-secret")
        .get("/integration/int_none");
    let login = json!({ "username": "alice", "password": "the-password" });
    let token = Client::new(server.address)
        .post("/public/login", &login)
        .json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    server.client(&token).get("/integration");
    let log = server.stop();
    assert!(
        !log.all().iter().any(|line| line.contains(&token)),
        "a token is in the log: {:#?}",
        log.all()
    );

    log
}

fn has_no_secrets(log: &Log) {
    for secret in SECRETS {
        assert!(
            !log.all().iter().any(|line| line.contains(secret)),
            "{secret} is in {:#?}",
            log.all()
        );
    }
}

#[test]
fn text_lines_have_no_secrets() {
    has_no_secrets(&life(&Setup::new()));
}

#[test]
fn text_lines_have_no_secrets_when_all_is_logged() {
    let ours = "info,pagertree_local=trace";
    has_no_secrets(&life(&Setup::new().env("RUST_LOG", ours)));
}

#[test]
fn json_lines_are_objects_without_secrets() {
    let log = life(&Setup::new().config("[log]\nformat = 'json'\n"));
    has_no_secrets(&log);
    assert!(log.all().len() > 8, "{:#?}", log.all());

    for line in log.all() {
        let line: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            line["message"].is_string() && line["target"].is_string(),
            "{line}"
        );
        assert!(
            ["info", "warn", "error"].contains(&line["level"].as_str().unwrap()),
            "{line}"
        );
        assert!(
            line["time"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z')),
            "{line}"
        );
    }
}

#[test]
fn every_request_leaves_one_line_with_the_id_that_was_answered() {
    let server = Setup::new().config("[log]\nformat = 'json'\n").start();
    let client = server.client("t");
    let answers = [
        client.get("/integration"),
        client.post("/integration", &json!({})),
        client.delete("/integration/int_none"),
        client.get("/no/such/route"),
        client.put("/integration", &json!({})),
    ];
    let lines: Vec<Value> = server
        .stop()
        .all()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();

    for answer in answers {
        let id = answer.headers["request-id"].to_str().unwrap();
        let about: Vec<&Value> = lines
            .iter()
            .filter(|line| line["request_id"] == id)
            .collect();
        assert_eq!(about.len(), 1, "{lines:#?}");
        assert_eq!(about[0]["status"], answer.status);
        assert!(about[0]["duration_us"].is_u64(), "{}", about[0]);
    }
}

#[test]
fn request_lines_can_be_switched_off() {
    let server = Setup::new().config("[log]\nrequests = false\n").start();
    server.client("t").create("n");
    let log = server.stop();

    assert!(
        !log.all().iter().any(|line| line.contains("/integration")),
        "{:#?}",
        log.all()
    );
    assert!(
        log.all().iter().any(|line| line.contains("Stopped")),
        "life events stay: {:#?}",
        log.all()
    );
}

#[test]
fn rust_log_sets_the_level() {
    let quiet = life(&Setup::new().env("RUST_LOG", "error"));
    assert_eq!(quiet.all(), [""; 0]);
    let talkative = life(&Setup::new().env("RUST_LOG", "info,actix_server=info"));
    assert!(
        talkative
            .all()
            .iter()
            .any(|line| line.contains("Actix") || line.contains("starting service"))
    );
}

#[test]
fn an_empty_rust_log_is_as_if_it_were_not_set() {
    assert!(
        life(&Setup::new().env("RUST_LOG", ""))
            .all()
            .iter()
            .any(|line| line.contains("Stopped"))
    );
}

#[test]
fn nobody_forges_a_line() {
    let server = Setup::new().start();
    let client = server
        .client("t")
        .with_header("x-request-id", "mine\" level=\"error");

    client.get("/integration/%0AERROR%20forged");
    let log = server.stop();
    let about: Vec<_> = log
        .all()
        .into_iter()
        .filter(|line| line.contains("forged"))
        .collect();

    assert!(
        matches!(&about[..], [line] if line.contains(" INFO ")),
        "{about:#?}"
    );
    assert!(
        about[0].contains(r#"request_id="mine\" level=\"error""#),
        "{about:#?}"
    );
}
