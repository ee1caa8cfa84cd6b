//! `check`: a sound store is reported as sound and left alone; a store that cannot be checked is
//! not called damaged.

use super::check_integrations::Store;
use crate::support::Setup;

#[test]
fn a_sound_store_is_called_sound_and_counted() {
    let outcome = Store::new().check();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(
        outcome.stdout,
        "the store is sound: 3 integrations, 0 alerts, 0 logs, 0 users, 0 teams in 2 accounts\n"
    );
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_sound_store_is_left_as_it_is() {
    let store = Store::new();
    let before = contents(&store);
    store.check();
    assert_eq!(contents(&store), before);
}

fn contents(store: &Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    let db = store.open();
    let mut names = db.tree_names();
    names.sort();

    let trees = names
        .into_iter()
        .flat_map(|name| db.open_tree(name).unwrap().iter());

    trees
        .map(|entry| {
            entry
                .map(|(key, value)| (key.to_vec(), value.to_vec()))
                .unwrap()
        })
        .collect()
}

#[test]
fn a_folder_without_a_store_is_refused_and_not_made() {
    let setup = Setup::bare();
    let outcome = setup
        .same_folder()
        .args(["check", "--data", "nowhere"])
        .run();
    assert!(
        outcome.error_with_code(3).contains("nowhere/store"),
        "{outcome:?}"
    );
    assert!(!setup.path("nowhere").exists());
}

#[test]
fn a_store_that_a_server_holds_is_refused() {
    let setup = Setup::new();
    let _server = setup.start();
    let outcome = setup.same_folder().args(["check"]).run();
    assert!(
        outcome
            .error_with_code(4)
            .contains("in use by another process"),
        "{outcome:?}"
    );
}

/// A first start may be killed before anything is stored. Looking at what it left must not make a
/// store of it: one made by `check` would have no secret, and anybody could sign tokens.
#[test]
fn a_store_that_was_never_used_is_said_to_be_so_and_left_as_it_is() {
    let setup = Setup::new();
    drop(setup.engine());
    let outcome = setup.same_folder().args(["check"]).run();

    assert!(
        outcome.error_with_code(3).contains("was never used"),
        "{outcome:#?}"
    );
    assert_eq!(setup.engine().open_tree("meta").unwrap().len(), 0);

    let server = setup.start();
    server.client("t").create("first");
    server.stop();
    assert_eq!(setup.same_folder().args(["check"]).run().code, Some(0));
}

#[test]
fn a_store_that_could_not_be_checked_is_not_called_damaged() {
    let setup = Setup::new();
    setup.start().stop();
    let outcome = setup
        .same_folder()
        .args(["check"])
        .env("PAGERTREE_LOCAL_STRIKT", "1")
        .run();

    assert!(
        outcome
            .error_with_code(2)
            .contains("PAGERTREE_LOCAL_STRIKT"),
        "{outcome:?}"
    );

    let db = setup.engine();
    db.open_tree("meta")
        .unwrap()
        .insert("schema", "99")
        .unwrap();
    db.flush().unwrap();
    drop(db);
    assert!(
        setup
            .same_folder()
            .args(["check"])
            .run()
            .error_with_code(2)
            .contains("schema 99")
    );
}
