//! `compact`: the same store in less room.

use super::moving::{exported, in_data, is_sound, store_with_a_history};
use crate::support::Setup;
use serde_json::json;

#[test]
fn a_compacted_store_is_smaller_and_has_everything_that_it_had() {
    let setup = store_with_a_history();
    let server = setup.start();
    let client = server.client("ops");
    let path = format!(
        "/integration/{}",
        client.create("changes often")["id"].as_str().unwrap()
    );

    for number in 0..500 {
        assert_eq!(
            client
                .put(
                    &path,
                    &json!({ "meta": { "x": format!("{number}").repeat(20_000) } })
                )
                .status,
            200
        );
    }

    let once = client.clone().with_header("idempotency-key", "once");
    let answer = once.create("remembered");
    let token = server
        .client("")
        .post(
            "/public/login",
            &json!({ "username": "a", "password": "b" }),
        )
        .json();
    server.stop();
    let (before, contents) = (exported(&setup), contents(&setup));

    let outcome = setup.same_folder().args(["compact"]).run();
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(0), ""),
        "{outcome:#?}"
    );

    let sizes: Vec<u64> = outcome
        .stdout
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();

    assert!(
        matches!(sizes[..], [before, after] if after * 2 < before),
        "{outcome:?}"
    );
    assert_eq!(exported(&setup), before);
    assert_eq!(self::contents(&setup), contents);
    assert_eq!(in_data(&setup), ["store"]);
    is_sound(&setup);

    let server = setup.start();
    let once = server.client("ops").with_header("idempotency-key", "once");
    assert_eq!(
        once.create("remembered"),
        answer,
        "remembered answers are kept"
    );

    let stranger = server.client(token["token"].as_str().unwrap());
    assert_eq!(stranger.create("x")["tinyId"], 1);
    server.stop();
    is_sound(&setup);
}

/// Everything in the store but the number of its last commit.
fn contents(setup: &Setup) -> Vec<(Vec<u8>, Vec<u8>)> {
    let db = setup.engine();
    let mut names = db.tree_names();
    names.sort();

    let trees = names
        .into_iter()
        .flat_map(|name| db.open_tree(name).unwrap().iter());
    let entries = trees.map(|entry| {
        entry
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .unwrap()
    });

    entries.filter(|(key, _)| key != b"commit").collect()
}

#[test]
fn what_cannot_be_compacted_is_left_as_it_is() {
    let setup = Setup::new();
    let nothing = setup.same_folder().args(["compact"]).run();
    assert!(
        nothing.error().contains("there is no store in"),
        "{nothing:?}"
    );
    assert!(!setup.path("data").exists());

    let server = setup.start();
    let held = setup.same_folder().args(["compact"]).run();
    assert!(
        held.error().contains("in use by another process"),
        "{held:?}"
    );
    server.stop();

    let db = setup.engine();
    db.open_tree("surprise")
        .unwrap()
        .insert("key", "value")
        .unwrap();
    drop(db);

    let foreign = setup.same_folder().args(["compact"]).run();
    assert!(foreign.error().contains("'surprise'"), "{foreign:?}");
    assert_eq!(in_data(&setup), ["store"]);
    assert_eq!(setup.engine().open_tree("surprise").unwrap().len(), 1);
}

#[test]
fn a_full_disk_leaves_the_old_store() {
    let setup = store_with_a_history();
    let before = exported(&setup);
    let outcome = setup.same_folder().args(["compact"]).file_blocks(600).run();

    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.starts_with("pagertree-local: ")
            || outcome.stderr.contains("\npagertree-local: "),
        "{outcome:#?}"
    );
    assert_eq!(exported(&setup), before);
    assert_eq!(in_data(&setup), ["store"]);
    is_sound(&setup);
}
