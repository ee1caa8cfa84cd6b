//! Sequences of events and steps of users, and the state of the alerts after each of them.

use crate::{
    callers::id,
    events::{Fixture, event},
    stderr,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

/// Plays every sequence of a file, and returns their number.
fn play_all(path: &Path) -> usize {
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let sequences = file["sequences"].as_array().unwrap();
    assert!(!sequences.is_empty(), "{} is empty", path.display());
    sequences.iter().for_each(play);
    sequences.len()
}

#[test]
fn own_sequences_have_the_expected_outcome() {
    play_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sequences.json"));
}

#[test]
fn shared_sequences_have_the_expected_outcome() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/sequences.json");
    if path.exists() {
        stderr::print(&format!(
            "{} sequences of ../shared/sequences.json ran, and passed",
            play_all(&path)
        ));
    } else {
        stderr::print("no sequence of ../shared/sequences.json ran: it is not there");
    }
}

fn play(sequence: &Value) {
    let desk = Fixture::open();
    let integrations = sequence["integrations"].as_object().unwrap();
    let known: Vec<(&String, String)> = integrations
        .iter()
        .map(|(name, more)| (name, desk.integration(more.clone())))
        .collect();
    let find = |name: &Value| {
        &known
            .iter()
            .find(|(known, _)| name == known.as_str())
            .unwrap()
            .1
    };

    for (number, step) in sequence["steps"].as_array().unwrap().iter().enumerate() {
        let place = format!("{}, step {number}", sequence["name"]);
        let alert = || {
            let position = step["alert"]
                .as_str()
                .unwrap()
                .strip_prefix('A')
                .unwrap()
                .parse::<usize>()
                .unwrap();
            desk.alerts().swap_remove(position - 1)
        };

        let answer = match step["do"].as_str().unwrap() {
            "incoming" => {
                let headers = step
                    .get("headers")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten();
                let sender = headers.fold(desk.server.anonymous(), |sender, (name, value)| {
                    sender.with(name, value.as_str().unwrap())
                });
                let path = format!("/integration/{}", find(&step["integration"]));
                sender.send("POST", &path, Some(&step["body"].to_string()))
            }
            "incoming_raw_id" => desk.send(step["id"].as_str().unwrap(), step["body"].clone()),
            "user_acknowledge" => desk.step(&alert(), "acknowledge"),
            "user_resolve" => desk.step(&alert(), "resolve"),
            "system_drop" => {
                let path = format!("/_local/alert/{}/drop", id(&alert()));
                desk.account.send("POST", &path, None)
            }
            other => panic!("{place}: nobody knows how to '{other}'"),
        };

        assert_eq!(
            answer.status,
            step.get("expect_status")
                .map_or(200, |status| status.as_u64().unwrap() as u16),
            "{place}"
        );

        if let Some(body) = step.get("expect_body") {
            assert_eq!(answer.text, body.as_str().unwrap(), "{place}");
        }

        let alerts = desk.alerts();
        if let Some(expected) = step["then"]["alerts"].as_object() {
            let statuses: Vec<_> = alerts.iter().map(|alert| &alert["status"]).collect();
            assert_eq!(statuses, expected.values().collect::<Vec<_>>(), "{place}");
        }

        for (name, fields) in step["then"]["alert_fields"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let alert = &alerts[name.strip_prefix('A').unwrap().parse::<usize>().unwrap() - 1];
            for (field, expected) in fields.as_object().unwrap() {
                if let Some(start) = expected["$match"]
                    .as_str()
                    .and_then(|pattern| pattern.strip_prefix('^'))
                {
                    assert!(
                        alert[field].as_str().unwrap().starts_with(start),
                        "{place}: {field}"
                    );
                    continue;
                }

                let named = expected
                    .as_str()
                    .and_then(|text| text.strip_prefix('$')?.strip_suffix(".id"));
                let expected =
                    named.map_or_else(|| expected.clone(), |name| json!(find(&json!(name))));

                assert_eq!(alert[field], expected, "{place}: {field}");
            }
        }
    }

    let ids: BTreeSet<String> = desk
        .alerts()
        .iter()
        .map(|alert| id(alert).to_owned())
        .collect();

    assert_eq!(ids.len(), desk.alerts().len());
}

#[test]
fn a_deleted_alert_no_longer_deduplicates() {
    let desk = Fixture::open();
    let integration = desk.integration(json!({}));
    desk.send(&integration, event("create", "1"));

    let [first] = desk.alerts().try_into().unwrap();
    desk.account
        .send("DELETE", &format!("/alert/{}", id(&first)), None)
        .assert_status(204);
    desk.send(&integration, event("resolve", "1"));
    assert_eq!(
        desk.last_log()["outcome"],
        "there is no alert with this id to be resolved"
    );
    desk.send(&integration, event("create", "1"));
    let [second] = desk.alerts().try_into().unwrap();
    assert_eq!(second["tinyId"], 2);
    assert_ne!(second["id"], first["id"]);
}
