//! Stores of other schema versions: an older one is read as it is and brought up by who writes, a
//! newer one is refused.

use super::moving::{exported, in_data, is_sound};
use crate::support::Setup;
use serde_json::json;
use std::fs;

/// What a store of version 1 does not have.
const NEW_TREES: [&str; 7] = [
    "alerts",
    "alerts_by_account",
    "alerts_by_thirdparty",
    "logs",
    "logs_by_account",
    "senders_by_account",
    "deliveries",
];

/// A stopped store of this version, with integrations and one that sends.
fn store() -> Setup {
    let setup = Setup::new();
    let server = setup.start();
    let client = server.client("ops");
    let sends = json!({ "name": "sends", "type": "outgoingwebhook", "destination_ids": [] });
    assert_eq!(client.post("/integration", &sends).status, 200);
    client.create("does not send");
    server.stop();
    setup
}

/// The same, as version 1 would have written it.
fn store_of_version_1() -> Setup {
    let setup = store();
    let db = setup.engine();
    NEW_TREES
        .iter()
        .for_each(|tree| assert!(db.drop_tree(tree).unwrap(), "there is a tree '{tree}'"));
    db.open_tree("meta").unwrap().insert("schema", "1").unwrap();
    db.flush().unwrap();
    setup
}

/// The schema, and the names of all trees.
fn schema(setup: &Setup) -> (String, Vec<String>) {
    let db = setup.engine();
    let found = db
        .open_tree("meta")
        .unwrap()
        .get("schema")
        .unwrap()
        .unwrap();
    let mut trees: Vec<_> = db
        .tree_names()
        .iter()
        .map(|name| String::from_utf8(name.to_vec()).unwrap())
        .collect();
    trees.sort();

    (String::from_utf8(found.to_vec()).unwrap(), trees)
}

#[test]
fn who_only_reads_an_older_store_leaves_it_as_it_is() {
    let setup = store_of_version_1();
    let before = schema(&setup);
    assert_eq!(before.0, "1");
    is_sound(&setup);
    assert_eq!(exported(&setup).lines().count(), 4);
    assert_eq!(
        setup
            .same_folder()
            .args(["backup", "all.backup"])
            .run()
            .code,
        Some(0)
    );
    let refused = setup.same_folder().args(["restore", "all.backup"]).run();
    assert!(refused.error().contains("--replace"), "{refused:?}");
    assert_eq!(schema(&setup), before);

    setup.start().stop();
    assert_eq!(schema(&setup), schema(&store()), "a server brings it up");
    is_sound(&setup);
}

#[test]
fn a_backup_of_an_older_store_is_restored_as_one_of_this_version() {
    let older = store_of_version_1();
    assert_eq!(
        older
            .same_folder()
            .args(["backup", "all.backup"])
            .run()
            .code,
        Some(0)
    );
    let new = Setup::new();
    fs::copy(older.path("all.backup"), new.path("all.backup")).unwrap();
    let outcome = new.same_folder().args(["restore", "all.backup"]).run();
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome:#?}"
    );
    assert_eq!(schema(&new), schema(&store()));
    is_sound(&new);
    assert_eq!(exported(&new), exported(&older));
}

#[test]
fn who_makes_an_older_store_anew_brings_it_up() {
    let setup = store_of_version_1();
    let before = exported(&setup);
    assert_eq!(setup.same_folder().args(["compact"]).run().code, Some(0));
    assert_eq!(schema(&setup), schema(&store()));
    is_sound(&setup);
    assert_eq!(exported(&setup), before);
}

/// A stopped store of version 2, with a log in the form of that time. The second value is that log.
fn store_of_version_2() -> (Setup, Vec<u8>) {
    let setup = Setup::new();
    let server = setup.start();
    let client = server.client("ops");
    let integration = client.create("receives");
    let path = format!("/integration/{}", integration["id"].as_str().unwrap());
    let event = json!({ "event_type": "create", "id": "x", "title": "t" });
    assert_eq!(client.post(&path, &event).status, 200);
    server.stop();

    let db = setup.engine();
    let logs = db.open_tree("logs").unwrap();
    let (id, log) = logs.first().unwrap().unwrap();
    let earlier = in_earlier_form(&log);
    logs.insert(id, &earlier[..]).unwrap();
    db.open_tree("meta").unwrap().insert("schema", "2").unwrap();
    db.flush().unwrap();
    (setup, earlier)
}

/// A log as version 2 wrote it.
fn in_earlier_form(log: &[u8]) -> Vec<u8> {
    let mut log: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(log).unwrap();
    for name in ["content", "subtype", "owner_id", "level"] {
        log.shift_remove(name).unwrap();
    }
    log.insert("type".into(), "incoming".into());
    serde_json::to_vec(&log).unwrap()
}

#[test]
fn log_of_an_older_store_gets_the_new_attributes() {
    let (setup, earlier) = store_of_version_2();
    is_sound(&setup);
    let earlier_export = exported(&setup);
    assert!(earlier_export.contains(std::str::from_utf8(&earlier).unwrap()));

    let server = setup.start();
    let list = server.client("ops").get("/log?subtype=INCOMING&type=log");
    let log = &list.json()["data"][0];
    assert_eq!(
        (&log["owner_id"], &log["level"]),
        (&log["alert_id"], &json!(2))
    );
    server.stop();
    is_sound(&setup);

    let imported = Setup::new();
    imported.write("earlier.jsonl", &earlier_export);
    let outcome = imported
        .same_folder()
        .args(["import", "earlier.jsonl"])
        .run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(exported(&imported), exported(&setup));
}

#[test]
fn a_newer_store_is_not_salvaged() {
    let setup = store();
    let db = setup.engine();
    db.open_tree("meta").unwrap().insert("schema", "4").unwrap();
    db.open_tree("a tree of later")
        .unwrap()
        .insert("key", "value")
        .unwrap();
    db.flush().unwrap();
    drop(db);
    let outcome = setup
        .same_folder()
        .args(["export", "--salvage", "saved.jsonl"])
        .run();
    let fault = outcome.error();
    assert!(
        fault.contains("schema 4") && fault.contains("data/store'"),
        "{fault}"
    );
    assert!(!setup.path("saved.jsonl").exists() && !setup.path("saved.jsonl.partial").exists());
    assert_eq!(in_data(&setup), ["store"]);
}
