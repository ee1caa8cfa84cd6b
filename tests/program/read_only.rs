//! Stores that cannot be written: what only reads them works all the same, and leaves nothing
//! behind.

use super::{kills::filled, moving::exported};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Takes the right to write away from everybody but root, from everything below the folder.
fn make_read_only(path: &Path) {
    let mode = if path.is_dir() {
        fs::read_dir(path)
            .unwrap()
            .for_each(|entry| make_read_only(&entry.unwrap().path()));
        0o555
    } else {
        0o444
    };
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn make_writable(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    if path.is_dir() {
        fs::read_dir(path)
            .unwrap()
            .for_each(|entry| make_writable(&entry.unwrap().path()));
    }
}

#[test]
fn check_export_backup_and_salvage_read_a_store_that_they_cannot_write() {
    let setup = filled();
    let before = exported(&setup);
    for folder in ["out", "temporary"] {
        fs::create_dir(setup.path(folder)).unwrap();
        fs::set_permissions(setup.path(folder), Permissions::from_mode(0o777)).unwrap();
    }

    fs::set_permissions(setup.path(""), Permissions::from_mode(0o755)).unwrap();
    make_read_only(&setup.path("data"));
    let temporary = setup.path("temporary");

    for command in [
        &["check"][..],
        &["backup", "out/backup"],
        &["export", "out/export"],
        &["export", "--salvage", "out/salvaged"],
    ] {
        let command = setup
            .same_folder()
            .args(command.iter().copied())
            .env("TMPDIR", temporary.to_str().unwrap());
        let outcome = command.run_as_nobody();
        assert_eq!(outcome.code, Some(0), "{outcome:#?}");
        assert_eq!(
            fs::read_dir(&temporary).unwrap().count(),
            0,
            "the copy is gone"
        );
    }

    assert_eq!(
        fs::read_to_string(setup.path("out/export")).unwrap(),
        before
    );
    make_writable(&setup.path("data"));

    let restored = setup
        .same_folder()
        .args(["restore", "--data", "restored", "out/backup"])
        .run();

    assert_eq!(restored.code, Some(0), "{restored:#?}");
}

#[test]
fn a_store_that_cannot_be_written_and_is_in_use_is_busy() {
    let setup = filled();
    let server = setup.start();
    fs::set_permissions(setup.path(""), Permissions::from_mode(0o755)).unwrap();
    make_read_only(&setup.path("data"));
    let outcome = setup.same_folder().args(["check"]).run_as_nobody();
    assert!(
        outcome
            .error_with_code(4)
            .contains("in use by another process"),
        "{outcome:?}"
    );
    make_writable(&setup.path("data"));
    server.stop();
}
