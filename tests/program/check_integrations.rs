//! `check` names each kind of damage to integrations, their index and their counters.

use crate::support::{Outcome, Setup};
use serde_json::Value;

/// A stopped store in which one account has numbers 1 and 2 and another has number 1; 3 of the
/// first is deleted.
pub(crate) struct Store {
    setup: Setup,
    first: Value,
    second: Value,
    stranger: Value,
}

impl Store {
    pub(crate) fn new() -> Self {
        let setup = Setup::new();
        let server = setup.start();
        let client = server.client("one account");
        let (first, second, deleted) = (
            client.create("first"),
            client.create("second"),
            client.create("deleted"),
        );
        assert_eq!(
            client
                .delete(&format!("/integration/{}", text(&deleted, "id")))
                .status,
            204
        );
        let stranger = server.client("another account").create("stranger");
        server.stop();

        Self {
            setup,
            first,
            second,
            stranger,
        }
    }

    pub(crate) fn check(&self) -> Outcome {
        self.setup.same_folder().args(["check"]).run()
    }

    /// Works on the trees behind the program's back.
    pub(crate) fn open(&self) -> sled::Db {
        self.setup.engine()
    }

    /// Damages the store, and looks what `check` says: all damage that there is, each in a line
    /// with these words.
    #[track_caller]
    fn is_found_after(&self, damage: impl FnOnce(&sled::Db), expected: &[&[&str]]) {
        let db = self.open();
        damage(&db);
        db.flush().unwrap();
        drop(db);

        let outcome = self.check();
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (Some(1), ""),
            "{outcome:#?}"
        );

        let mut lines: Vec<&str> = outcome.stdout.lines().collect();
        let summary = lines.pop().unwrap();
        assert!(
            summary.contains("damaged") && summary.contains(&format!(" {} problem", lines.len())),
            "{summary}"
        );
        assert_eq!(lines.len(), expected.len(), "{lines:#?}");

        for words in expected {
            let found = lines
                .iter()
                .any(|line| words.iter().all(|word| line.contains(word)));
            assert!(found, "no line has {words:?} in {lines:#?}");
        }
    }
}

fn text<'a>(integration: &'a Value, attribute: &str) -> &'a str {
    integration[attribute].as_str().unwrap()
}

fn id(integration: &Value) -> &str {
    text(integration, "id")
}

fn sid(integration: &Value) -> &str {
    text(integration, "sid")
}

fn tree(db: &sled::Db, name: &str) -> sled::Tree {
    assert!(
        db.tree_names()
            .iter()
            .any(|known| **known == *name.as_bytes()),
        "the store has a tree '{name}'"
    );
    db.open_tree(name).unwrap()
}

fn index_key(integration: &Value) -> Vec<u8> {
    [
        sid(integration).as_bytes(),
        &[0],
        &integration["tinyId"].as_u64().unwrap().to_be_bytes(),
    ]
    .concat()
}

fn counters(db: &sled::Db, integration: &Value, last_tiny_id: u64, live: u64) {
    let key = [sid(integration).as_bytes(), b"\0integrations"].concat();
    let value = [last_tiny_id.to_be_bytes(), live.to_be_bytes()].concat();
    tree(db, "accounts")
        .insert(key, value)
        .unwrap()
        .expect("there were counters");
}

fn put_record(db: &sled::Db, id: &str, record: &[u8]) {
    tree(db, "integrations").insert(id, record).unwrap();
}

#[test]
fn a_removed_record_is_found() {
    let store = Store::new();
    store.is_found_after(
        |db| {
            drop(
                tree(db, "integrations")
                    .remove(id(&store.second))
                    .unwrap()
                    .unwrap(),
            )
        },
        &[
            &[id(&store.second), "does not exist"],
            &[sid(&store.second), "counters show 2", "1 exist"],
        ],
    );
}

#[test]
fn a_removed_index_entry_is_found() {
    let store = Store::new();
    store.is_found_after(
        |db| {
            drop(
                tree(db, "integrations_by_account")
                    .remove(index_key(&store.first))
                    .unwrap()
                    .unwrap(),
            )
        },
        &[&[
            id(&store.first),
            "missing from the index",
            sid(&store.first),
        ]],
    );
}

#[test]
fn an_index_entry_that_names_another_is_found() {
    let store = Store::new();
    store.is_found_after(
        |db| {
            drop(
                tree(db, "integrations_by_account")
                    .insert(index_key(&store.first), id(&store.second))
                    .unwrap(),
            )
        },
        &[
            &[
                "tinyId 1",
                id(&store.first),
                "the index points to",
                id(&store.second),
            ],
            &["points from 1 to", id(&store.second), "which is 2"],
        ],
    );
}

#[test]
fn an_index_entry_that_names_one_of_another_account_is_found() {
    let store = Store::new();
    store.is_found_after(
        |db| {
            let key = [sid(&store.first).as_bytes(), b"\0", &7_u64.to_be_bytes()].concat();
            tree(db, "integrations_by_account")
                .insert(key, id(&store.stranger))
                .unwrap();
        },
        &[&[
            sid(&store.first),
            id(&store.stranger),
            "from 7",
            sid(&store.stranger),
        ]],
    );
}

#[test]
fn an_index_key_that_is_none_is_found() {
    let store = Store::new();
    let plant = |db: &sled::Db| {
        drop(
            tree(db, "integrations_by_account")
                .insert("garbage", "x")
                .unwrap(),
        )
    };
    store.is_found_after(plant, &[&["the index has a malformed key", "garbage"]]);
}

#[test]
fn a_wrong_count_is_found() {
    let store = Store::new();
    store.is_found_after(
        |db| counters(db, &store.first, 3, 5),
        &[&[
            sid(&store.first),
            "counters show 5 integrations, but 2 exist",
        ]],
    );
}

#[test]
fn a_last_number_below_one_that_was_given_is_found() {
    let store = Store::new();
    store.is_found_after(
        |db| counters(db, &store.first, 1, 2),
        &[&[sid(&store.first), "last tinyId is 1", "2 exists"]],
    );
}

#[test]
fn missing_counters_are_found() {
    let store = Store::new();
    let key = [sid(&store.stranger).as_bytes(), b"\0integrations"].concat();
    store.is_found_after(
        |db| drop(tree(db, "accounts").remove(&key).unwrap().unwrap()),
        &[&[sid(&store.stranger), "no counters"]],
    );
}

#[test]
fn counters_of_another_length_are_found() {
    let store = Store::new();
    let key = [sid(&store.first).as_bytes(), b"\0integrations"].concat();
    store.is_found_after(
        |db| drop(tree(db, "accounts").insert(&*key, b"short").unwrap()),
        &[&[sid(&store.first), "5 bytes; expected 16"]],
    );
}

#[test]
fn a_record_that_means_the_same_but_is_written_differently_is_found() {
    let store = Store::new();
    store.is_found_after(
        |db| {
            put_record(
                db,
                id(&store.first),
                &serde_json::to_vec_pretty(&store.first).unwrap(),
            )
        },
        &[&[id(&store.first), "not in canonical form"]],
    );
}

#[test]
fn a_garbage_record_is_found() {
    let store = Store::new();
    store.is_found_after(
        |db| put_record(db, id(&store.first), b"\xff\xfegarbage"),
        &[
            &[id(&store.first), "cannot be parsed"],
            &[sid(&store.first), "counters show 2", "1 exist"],
        ],
    );
}

#[test]
fn a_record_under_the_id_of_another_is_found() {
    let store = Store::new();
    let mut posing = store.first.clone();
    posing["id"] = "int_posing".into();
    store.is_found_after(
        |db| put_record(db, id(&store.first), &serde_json::to_vec(&posing).unwrap()),
        &[&[id(&store.first), "contains the id 'int_posing'"]],
    );
}

#[test]
fn a_foreign_tree_is_found() {
    let plant = |db: &sled::Db| {
        drop(
            db.open_tree("surprise")
                .unwrap()
                .insert("key", "value")
                .unwrap(),
        )
    };
    Store::new().is_found_after(plant, &[&["'surprise'"]]);
}

#[test]
fn a_foreign_entry_in_the_tree_that_is_always_there_is_found() {
    let plant = |db: &sled::Db| drop(db.insert("key", "value").unwrap());
    Store::new().is_found_after(plant, &[&["unknown tree"]]);
}

#[test]
fn a_missing_token_secret_is_found() {
    let take = |db: &sled::Db| drop(tree(db, "meta").remove("token_secret").unwrap().unwrap());
    Store::new().is_found_after(take, &[&["token secret is missing"]]);
}
