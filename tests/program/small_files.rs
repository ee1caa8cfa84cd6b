//! A wrong byte in one of the small files beside the log: the store has everything, and opens.

use super::moving::{exported, store_with_a_history};
use crate::support::{Outcome, Setup};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A stopped store that has a snapshot: the engine writes one when it opens a log that has grown.
fn whole() -> Setup {
    let setup = store_with_a_history();
    exported(&setup);
    setup
}

fn snapshot(setup: &Setup) -> PathBuf {
    let mut entries = fs::read_dir(setup.store())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("snap.")
        })
        .unwrap()
}

/// The same store with one byte changed.
fn with_a_wrong_byte(whole: &Setup, path: &Path, at: usize) -> Setup {
    let setup = Setup::new();
    fs::create_dir_all(setup.store().join("blobs")).unwrap();
    for entry in fs::read_dir(whole.store()).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), setup.store().join(entry.file_name())).unwrap();
        }
    }

    let path = setup.store().join(path.file_name().unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();

    setup
}

#[track_caller]
fn says(outcome: &Outcome, name: &str) {
    let told = outcome
        .stderr
        .contains(&format!("file '{name}' of the store"));
    assert!(outcome.code == Some(0) && told, "{outcome:#?}");
}

/// It was refused, and of what was saved nothing was as it had been.
#[track_caller]
fn costs_nothing(whole: &Setup, path: &Path, positions: &[usize]) {
    let (name, all) = (path.file_name().unwrap().to_string_lossy(), exported(whole));
    for position in positions {
        let damaged = || with_a_wrong_byte(whole, path, *position);
        let setup = damaged();
        says(&setup.same_folder().args(["check"]).run(), &name);

        let after = setup.same_folder().args(["export"]).run();
        assert_eq!(
            (after.code, after.stdout),
            (Some(0), all.clone()),
            "after a check, byte {position} of {name}"
        );

        let setup = damaged();
        says(
            &setup
                .same_folder()
                .args(["export", "--salvage", "saved.jsonl"])
                .run(),
            &name,
        );
        assert_eq!(
            fs::read_to_string(setup.path("saved.jsonl")).unwrap(),
            all,
            "byte {position} of {name}"
        );
        let server = setup.start();
        server.log.wait_for(&format!("file '{name}' of the store"));
        server.client("ops").create("one more");
        server.stop();
    }
}

#[test]
fn of_its_snapshot() {
    let whole = whole();
    let path = snapshot(&whole);
    let length = fs::read(&path).unwrap().len();
    costs_nothing(
        &whole,
        &path,
        &[0, length / 3, length / 2, length - 13, length - 1],
    );
}

#[test]
fn of_its_configuration() {
    let whole = whole();
    let path = whole.store().join("conf");
    let length = fs::read(&path).unwrap().len();

    costs_nothing(
        &whole,
        &path,
        &[
            0,
            "segment_size: ".len(),
            length / 2,
            length - 6,
            length - 1,
        ],
    );
}

#[test]
fn of_the_number_of_its_last_commit() {
    let whole = whole();
    costs_nothing(&whole, &whole.store().join("acknowledged"), &[0, 7, 8, 15]);
}
