//! Shared by the tests of archives: a store with a history, and the commands around it.

use crate::support::{Outcome, Server, Setup};
use serde_json::{Value, json};

/// A stopped store with a history: updates, deletes, a large value, an account that has nothing
/// left.
pub(crate) fn store_with_a_history() -> Setup {
    let setup = Setup::new();
    let server = setup.start();
    for account in ["ops", "billing", "search"] {
        let client = server.client(account);
        let made: Vec<Value> = (0..30)
            .map(|number| client.create(&format!("{account} {number}")))
            .collect();

        for (position, integration) in made.iter().enumerate() {
            let path = format!("/integration/{}", integration["id"].as_str().unwrap());
            match position % 5 {
                0 => assert_eq!(client.delete(&path).status, 204),
                1 => assert_eq!(
                    client
                        .put(&path, &json!({ "meta": { "π": 1.50, "a": [1e3, null] } }))
                        .status,
                    200
                ),
                _ => {}
            }
        }

        let large = json!({ "name": "large", "type": "email", "destination_ids": [], "meta": { "x": "y".repeat(200_000) } });
        assert_eq!(client.post("/integration", &large).status, 200);
    }

    reports(&server);
    let client = server.client("nothing left");
    let only = client.create("only");

    assert_eq!(
        client
            .delete(&format!("/integration/{}", only["id"].as_str().unwrap()))
            .status,
        204
    );
    server.stop();

    setup
}

/// Lets a third party report, so that there are alerts and logs, and an integration that sends.
fn reports(server: &Server) {
    let client = server.client("ops");
    let body = |kind: &str| json!({ "name": kind, "type": kind, "destination_ids": [] });
    assert_eq!(
        client.post("/integration", &body("outgoingwebhook")).status,
        200
    );

    let integration = client.post("/integration", &body("webhook")).json();
    let path = format!("/integration/{}", integration["id"].as_str().unwrap());
    for (kind, id) in [
        ("create", "a"),
        ("create", "b"),
        ("resolve", "a"),
        ("create", "a"),
        ("create", "a"),
    ] {
        assert_eq!(
            client
                .post(
                    &path,
                    &json!({ "event_type": kind, "id": id, "title": "π" })
                )
                .status,
            200
        );
    }
}

/// What `export` writes to standard output.
#[track_caller]
pub(crate) fn exported(setup: &Setup) -> String {
    let outcome = setup.same_folder().args(["export"]).run();
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome:#?}"
    );
    outcome.stdout
}

/// What an export says of objects, and not of the numbers that were given.
pub(crate) fn object_lines(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.starts_with("{\"account\""))
        .collect()
}

pub(crate) fn import(setup: &Setup, text: &str) -> Outcome {
    setup.write("import.jsonl", text);
    setup.same_folder().args(["import", "import.jsonl"]).run()
}

#[track_caller]
pub(crate) fn is_sound(setup: &Setup) {
    let outcome = setup.same_folder().args(["check"]).run();
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome:#?}"
    );
}

/// The names of what is in the data folder.
pub(crate) fn in_data(setup: &Setup) -> Vec<String> {
    let entries = std::fs::read_dir(setup.path("data")).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The first line of every export.
pub(crate) const HEADER: &str = r#"{"format":"pagertree-local export","version":1}"#;

/// A line of an account.
pub(crate) fn account(sid: &str, last_tiny_id: u64) -> String {
    format!(
        r#"{{"account":{{"sid":"{sid}","collection":"integrations","lastTinyId":{last_tiny_id}}}}}"#
    )
}

/// A line of an integration.
pub(crate) fn integration(sid: &str, id: &str, tiny_id: u64) -> String {
    let times = r#""createdAt":"2018-04-27T00:02:50.419Z","updatedAt":"2018-04-27T00:02:50.419Z""#;
    let rest = r#""name":"n","type":"email","enabled":true,"urgency":"low","destination_ids":[],"options":{}"#;
    format!(
        r#"{{"integration":{{"sid":"{sid}","id":"{id}",{times},"meta":{{}},"tinyId":{tiny_id},{rest}}}}}"#
    )
}

pub(crate) fn text(lines: &[impl AsRef<str>]) -> String {
    lines
        .iter()
        .map(|line| line.as_ref().to_owned() + "\n")
        .collect()
}

pub(crate) fn backup(setup: &Setup, name: &str) -> Outcome {
    setup.same_folder().args(["backup", name]).run()
}

/// Restores a backup of another folder in a new one.
#[track_caller]
pub(crate) fn restored(from: &Setup, name: &str) -> Setup {
    let setup = Setup::new();
    std::fs::copy(from.path(name), setup.path("copy.backup")).unwrap();
    let outcome = setup.same_folder().args(["restore", "copy.backup"]).run();
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome:#?}"
    );
    assert_eq!(in_data(&setup), ["store"]);
    is_sound(&setup);
    setup
}

#[track_caller]
pub(crate) fn succeeded(outcome: &Outcome) {
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome:#?}"
    );
}
