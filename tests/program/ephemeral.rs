//! Temporary stores: whose process was killed, they are gone after the next start; the others stay.

use crate::support::{Server, Setup, files_below};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

fn ephemeral() -> Setup {
    let setup = Setup::new().args(["--ephemeral"]);
    fs::create_dir(setup.path("temporary")).unwrap();
    let temporary = setup.path("temporary");
    setup.env("TMPDIR", temporary.to_str().unwrap())
}

fn folders(setup: &Setup) -> BTreeSet<String> {
    let entries = fs::read_dir(setup.path("temporary")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_folder_is_for_its_owner_only() {
    let setup = ephemeral();
    let server = setup.start();
    let folder = setup
        .path("temporary")
        .join(folders(&setup).first().unwrap());

    assert_eq!(
        fs::metadata(folder).unwrap().permissions().mode() & 0o777,
        0o700
    );
    server.stop();
    assert!(
        folders(&setup).is_empty(),
        "{:?}",
        files_below(&setup.path("temporary"))
    );
}

#[test]
fn folders_of_killed_servers_are_swept_at_the_next_start_and_those_of_living_ones_stay() {
    let setup = ephemeral();
    let alive = setup.start();
    let of_alive = folders(&setup);
    let dead: Vec<Server> = (0..3).map(|_| setup.start()).collect();

    dead.into_iter().for_each(Server::kill);
    assert_eq!(folders(&setup).len(), 4);
    let next = setup.start();

    next.log
        .wait_for("Removed the temporary stores of killed processes");
    let left = folders(&setup);

    assert!(left.len() == 2 && left.is_superset(&of_alive), "{left:?}");
    alive.client("t").create("still here");
    alive.stop();
    next.stop();
    assert!(folders(&setup).is_empty());
}

#[test]
fn what_is_not_ours_stays() {
    let setup = ephemeral();
    let foreign = setup.path("temporary/pagertree-local-foreign");
    let empty = setup.path("temporary/pagertree-local-empty");

    fs::create_dir(&empty).unwrap();
    if rustix::process::geteuid().is_root() {
        fs::create_dir_all(foreign.join("store")).unwrap();
        fs::write(foreign.join("lock"), "").unwrap();
        std::os::unix::fs::chown(&foreign, Some(65_534), None).unwrap();
        assert_eq!(foreign.metadata().unwrap().uid(), 65_534);
    }

    let dead = setup.start();
    dead.kill();
    let next = setup.start();

    next.log
        .wait_for("Removed the temporary stores of killed processes folders=1");
    assert!(empty.exists());
    assert_eq!(foreign.exists(), rustix::process::geteuid().is_root());
    next.stop();
}
