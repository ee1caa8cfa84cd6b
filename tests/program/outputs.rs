//! Where `backup` and `export` write: a file is replaced as a whole, and nothing else is.

use super::moving::{is_sound, store_with_a_history};
use crate::support::Setup;
use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
};

const COMMANDS: [&[&str]; 3] = [&["backup"], &["export"], &["export", "--salvage"]];

/// Each command says so, and leaves everything as it is.
#[track_caller]
fn is_refused(setup: &Setup, name: &str, words: &str) {
    let before = names(setup);
    for command in COMMANDS {
        let outcome = setup
            .same_folder()
            .args(command.iter().copied().chain([name]))
            .run();
        let fault = outcome.error();
        assert!(
            fault.contains(words) && fault.contains(name),
            "{command:?}: {fault}"
        );
        assert_eq!(names(setup), before, "{command:?} {name}");
    }
}

/// What is in the folder of the test and in the data folder, and of which type it is.
fn names(setup: &Setup) -> Vec<String> {
    let entries =
        ["", "data", "data/store"].map(|folder| fs::read_dir(setup.path(folder)).unwrap());
    let described = entries
        .into_iter()
        .flatten()
        .map(Result::unwrap)
        .map(|entry| format!("{entry:?} {:?}", entry.file_type()));
    let mut names: Vec<_> = described.collect();
    names.sort();
    names
}

#[test]
fn what_is_no_regular_file_is_not_replaced() {
    let setup = store_with_a_history();
    let pipe = setup.path("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    setup.write("target", "kept");

    for name in ["link", "linked.partial"] {
        symlink("target", setup.path(name)).unwrap();
    }

    symlink("nowhere", setup.path("dangling")).unwrap();
    fs::create_dir(setup.path("folder")).unwrap();
    for name in ["pipe", "link", "linked", "dangling", "folder"] {
        is_refused(&setup, name, "not a regular file");
    }

    assert_eq!(fs::read_to_string(setup.path("target")).unwrap(), "kept");
}

#[test]
fn nothing_in_the_data_folder_is_replaced() {
    let setup = store_with_a_history();
    symlink("data/store", setup.path("way")).unwrap();
    for name in [
        "data/store/db",
        "data/all.backup",
        "way/conf",
        "data/../data/running",
    ] {
        is_refused(&setup, name, "data folder");
    }
    is_sound(&setup);
}

#[test]
fn a_regular_file_is_replaced_as_a_whole() {
    let setup = store_with_a_history();
    for command in COMMANDS {
        setup.write("file", "before");
        let outcome = setup
            .same_folder()
            .args(command.iter().copied().chain(["file"]))
            .run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(
            fs::metadata(setup.path("file")).unwrap().len() > 1_000,
            "{command:?}"
        );
        assert!(!setup.path("file.partial").exists(), "{command:?}");
    }
}

/// Somebody else could make the file beside first, keep it open, and read every secret that was
/// written into it.
#[test]
fn what_stands_beside_is_not_written_into_and_the_file_is_the_owners_alone() {
    let setup = store_with_a_history();
    for command in COMMANDS {
        let beside = setup.path("file.partial");
        fs::write(&beside, "of another").unwrap();
        fs::set_permissions(&beside, Permissions::from_mode(0o666)).unwrap();

        let mut theirs = fs::File::open(&beside).unwrap();
        let outcome = setup
            .same_folder()
            .args(command.iter().copied().chain(["file"]))
            .run();

        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(
            std::io::read_to_string(&mut theirs).unwrap(),
            "of another",
            "{command:?}"
        );

        let made = fs::metadata(setup.path("file")).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600, "{command:?}");
    }
}
