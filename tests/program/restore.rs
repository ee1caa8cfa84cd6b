//! `restore`: a whole backup becomes the store, and anything else changes nothing.

use super::moving::{
    backup, exported, in_data, is_sound, object_lines, store_with_a_history, succeeded,
};
use crate::support::{Server, Setup};
use std::fs;

#[test]
fn a_backup_that_is_not_whole_is_refused_and_nothing_is_touched() {
    let setup = store_with_a_history();
    let before = exported(&setup);
    succeeded(&backup(&setup, "all.backup"));

    let whole = fs::read(setup.path("all.backup")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;

    let mut lengthened = whole.clone();
    lengthened.push(0);
    for (bytes, words) in [
        (&whole[..whole.len() - 1], "truncated"),
        (&whole[..whole.len() / 2], "truncated"),
        (&whole[..30], "truncated"),
        (&whole[..10], "not a backup"),
        (b"", "not a backup"),
        (&flipped, "damaged"),
        (&lengthened, "damaged"),
        (before.as_bytes(), "is an export; use `import`"),
        (b"\x1f\x8b\x08", "is compressed with gzip; unpack it first"),
    ] {
        fs::write(setup.path("broken.backup"), bytes).unwrap();
        for arguments in [
            &["restore", "--replace", "broken.backup"][..],
            &["restore", "--data", "new", "broken.backup"],
        ] {
            let outcome = setup.same_folder().args(arguments.iter().copied()).run();
            let fault = outcome.error();
            assert!(
                fault.contains("'broken.backup'") && fault.contains(words),
                "{words}: {fault}"
            );
        }
    }

    assert!(!setup.path("new/store").exists());
    assert_eq!(exported(&setup), before);
    assert_eq!(in_data(&setup), ["store"]);
}

#[test]
fn a_store_is_replaced_only_if_that_is_said() {
    let setup = store_with_a_history();
    succeeded(&backup(&setup, "all.backup"));
    let before = exported(&setup);
    let server = setup.start();

    server.client("ops").create("later");
    let held = setup
        .same_folder()
        .args(["restore", "--replace", "all.backup"])
        .run();

    assert!(
        held.error().contains("in use by another process"),
        "{held:?}"
    );
    server.stop();
    let later = exported(&setup);
    let refused = setup.same_folder().args(["restore", "all.backup"]).run();

    assert!(refused.error().contains("--replace"), "{refused:?}");
    assert_eq!(exported(&setup), later);
    succeeded(
        &setup
            .same_folder()
            .args(["restore", "--replace", "all.backup"])
            .run(),
    );
    assert_eq!(object_lines(&exported(&setup)), object_lines(&before));

    fs::write(setup.store().join("db"), b"damaged beyond repair").unwrap();
    let refused = setup.same_folder().args(["restore", "all.backup"]).run();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--replace"), "{refused:?}");
    succeeded(
        &setup
            .same_folder()
            .args(["restore", "--replace", "all.backup"])
            .run(),
    );
    assert_eq!(exported(&setup), before);
    assert_eq!(in_data(&setup), ["store"]);
    is_sound(&setup);
}

#[test]
fn a_number_that_the_replaced_store_gave_is_not_given_again() {
    let setup = Setup::new();
    let server = setup.start();
    let create = |server: &Server, account: &str| {
        server.client(account).create("n")["tinyId"]
            .as_u64()
            .unwrap()
    };

    let at_first: Vec<_> = ["both", "both", "with nothing later"]
        .iter()
        .map(|name| create(&server, name))
        .collect();

    assert_eq!(at_first, [1, 2, 1]);
    succeeded(&backup(&setup, "all.backup"));
    let later: Vec<_> = ["both", "both", "later"]
        .iter()
        .map(|name| create(&server, name))
        .collect();

    assert_eq!(later, [3, 4, 1]);
    server.stop();

    succeeded(
        &setup
            .same_folder()
            .args(["restore", "--replace", "all.backup"])
            .run(),
    );
    is_sound(&setup);

    let server = setup.start();
    assert_eq!(
        server.client("both").get("/integration").json()["total_count"],
        2
    );

    let after: Vec<_> = ["both", "with nothing later", "later"]
        .iter()
        .map(|name| create(&server, name))
        .collect();

    assert_eq!(after, [5, 2, 2]);
    server.stop();
    is_sound(&setup);
}

#[test]
fn a_store_that_was_never_used_is_no_reason_to_ask() {
    let setup = store_with_a_history();
    succeeded(&backup(&setup, "all.backup"));
    drop(sled::open(setup.path("new/store")).unwrap());
    succeeded(
        &setup
            .same_folder()
            .args(["restore", "--data", "new", "all.backup"])
            .run(),
    );
    succeeded(&setup.same_folder().args(["check", "--data", "new"]).run());
}
