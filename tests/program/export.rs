//! `export`: everything but secrets, sorted, the same bytes for the same objects.

use super::moving::{HEADER, exported, store_with_a_history};
use crate::support::Setup;
use serde_json::Value;

#[test]
fn an_export_has_every_object_with_exactly_its_bytes_in_order() {
    let setup = store_with_a_history();
    let text = exported(&setup);
    let lines: Vec<&str> = text.lines().collect();

    assert_eq!(lines[0], HEADER);
    let accounts: Vec<Value> = lines
        .iter()
        .filter_map(|line| {
            serde_json::from_str::<Value>(line)
                .unwrap()
                .get("account")
                .cloned()
        })
        .collect();
    assert_eq!(
        accounts.len(),
        6,
        "four count integrations, one of them alerts and logs as well"
    );
    assert!(
        accounts
            .iter()
            .map(|account| account["sid"].as_str().unwrap())
            .is_sorted()
    );
    let counts: Vec<u64> = accounts
        .iter()
        .map(|account| account["lastTinyId"].as_u64().unwrap())
        .collect();
    assert_eq!(
        counts.iter().sum::<u64>(),
        31 * 3 + 1 + 2 + 3 + 5,
        "deleted numbers are counted too: {counts:?}"
    );

    let server = setup.start();
    let (mut keys, client) = (Vec::new(), |sid: &str| {
        ["ops", "billing", "search"]
            .map(|token| server.client(token))
            .into_iter()
            .find(|client| client.get("/integration").json()["data"][0]["sid"] == *sid)
            .unwrap()
    });

    for line in &lines[7..] {
        let (kind, stored) = line
            .strip_prefix("{\"")
            .and_then(|line| line.split_once("\":"))
            .unwrap();
        let stored = stored.strip_suffix('}').unwrap();
        let object: Value = serde_json::from_str(stored).unwrap();
        let (sid, id) = (
            object["sid"].as_str().unwrap(),
            object["id"].as_str().unwrap(),
        );
        assert_eq!(client(sid).get(&format!("/{kind}/{id}")).text(), stored);
        let order = ["integration", "alert", "log"]
            .iter()
            .position(|known| *known == kind)
            .unwrap();
        keys.push((order, sid.to_owned(), object["tinyId"].as_u64().unwrap()));
    }

    let reported = 2 + 3 + 5;
    assert_eq!(
        keys.len(),
        25 * 3 + reported,
        "30 each, 6 of them deleted, and a large one"
    );
    assert!(keys.is_sorted());
}

#[test]
fn a_file_is_there_whole_or_not_at_all() {
    let setup = store_with_a_history();
    let outcome = setup.same_folder().args(["export", "all.jsonl"]).run();
    assert_eq!(
        (
            outcome.code,
            outcome.stdout.as_str(),
            outcome.stderr.as_str()
        ),
        (Some(0), "", ""),
        "{outcome:?}"
    );
    assert_eq!(
        std::fs::read_to_string(setup.path("all.jsonl")).unwrap(),
        exported(&setup)
    );
    assert!(!setup.path("all.jsonl.partial").exists());

    let outcome = setup
        .same_folder()
        .args(["export", "--data", "nowhere", "none.jsonl"])
        .run();

    assert!(outcome.error().contains("nowhere/store"), "{outcome:?}");
    assert!(!setup.path("none.jsonl").exists() && !setup.path("none.jsonl.partial").exists());
    assert!(!setup.path("nowhere").exists());
}

#[test]
fn an_export_has_no_secret() {
    let setup = store_with_a_history();
    let db = setup.engine();
    let secret = db
        .open_tree("meta")
        .unwrap()
        .get("token_secret")
        .unwrap()
        .unwrap();
    drop(db);
    assert!(!exported(&setup).contains(std::str::from_utf8(&secret).unwrap()));
}

#[test]
fn a_damaged_store_is_not_exported_as_if_it_were_whole() {
    for (tree, key) in [
        ("integrations", None),
        ("integrations_by_account", None),
        ("accounts", Some("x")),
    ] {
        let setup = store_with_a_history();
        let db = setup.engine();
        let tree = db.open_tree(tree).unwrap();
        match key {
            Some(key) => drop(tree.insert(key, "garbage").unwrap()),
            None => drop(tree.pop_max().unwrap().unwrap()),
        }
        drop((tree, db));
        let outcome = setup.same_folder().args(["export", "all.jsonl"]).run();
        assert!(outcome.error().contains("damaged"), "{outcome:#?}");
        assert!(!setup.path("all.jsonl").exists());
    }
}

#[test]
fn a_store_that_was_never_used_has_nothing_to_export() {
    let setup = Setup::new();
    drop(setup.engine());
    assert!(
        setup
            .same_folder()
            .args(["export"])
            .run()
            .error()
            .contains("was never used")
    );
}
