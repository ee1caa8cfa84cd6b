//! Everything that keeps the program from starting: one sentence, exit code 1, no panic.

use crate::support::Setup;
use std::{
    fs::OpenOptions,
    io::{Seek, SeekFrom, Write},
    net::TcpListener,
};

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let outcome = Setup::bare().args(["--listen", &address]).run();
    let fault = outcome.error();
    assert!(
        fault.contains(&address) && fault.contains("--listen"),
        "{fault}"
    );
}

#[test]
fn an_address_that_is_none() {
    let outcome = Setup::bare().args(["--listen", "nowhere"]).run();
    assert!(outcome.error().contains("'nowhere'"), "{outcome:?}");
}

#[test]
fn a_data_folder_that_is_a_file() {
    let setup = Setup::new();
    setup.write("data", "not a folder");
    let outcome = setup.run();
    let fault = outcome.error();
    assert!(
        fault.contains("data/store") && fault.contains("--data"),
        "{fault}"
    );
}

#[test]
fn a_command_that_needs_a_store_where_there_is_none() {
    let backup: &[&str] = &["backup", "all.backup"];
    for command in [
        &["check"],
        &["compact"],
        &["export"],
        backup,
        &["export", "--salvage", "saved"],
    ] {
        let outcome = Setup::bare().args(command.iter().copied()).run();
        let words = "there is no store in 'data/store'; start the server to make one, or choose another folder";
        let code = if command == ["check"] { 3 } else { 1 };
        assert!(
            outcome.error_with_code(code).contains(words),
            "{command:?}: {outcome:?}"
        );
    }
}

#[test]
fn a_backup_that_can_be_read_once_only() {
    let outcome = Setup::bare().args(["restore", "/dev/stdin"]).run();
    assert!(
        outcome
            .error()
            .contains("it must be a regular file, because it is read several times"),
        "{outcome:?}"
    );
}

#[test]
fn a_store_that_is_a_file() {
    let setup = Setup::new();
    std::fs::create_dir(setup.path("data")).unwrap();
    setup.write("data/store", "not a folder");
    assert!(setup.run().error().contains("data/store"));
}

#[test]
fn a_port_file_that_cannot_be_written() {
    let outcome = Setup::new()
        .args(["--port-file", "no/such/folder/port"])
        .run();
    assert!(
        outcome.error().contains("no/such/folder/port"),
        "{outcome:?}"
    );
}

#[test]
fn a_start_that_fails_leaves_no_files_that_say_where_it_is() {
    let setup = Setup::new().args(["--port-file", "port"]);
    std::fs::create_dir(setup.path("port")).unwrap();
    assert!(setup.run().error().contains("'port'"));
    assert!(!setup.path("data").exists());

    let left = std::fs::read_dir(setup.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());

    assert_eq!(
        left.filter(|name| name != "data" && name != "port").count(),
        0
    );

    let setup = Setup::new().args(["--port-file", "port"]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let outcome = setup.run_with_stdout(full);

    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(super::moving::in_data(&setup), ["store"]);
    assert!(!setup.path("port").exists());
}

#[test]
fn a_configuration_that_is_not_there() {
    let outcome = Setup::new().args(["--config", "absent.toml"]).run();
    assert!(outcome.error().contains("absent.toml"), "{outcome:?}");
}

#[test]
fn a_configuration_that_is_no_toml() {
    let outcome = Setup::new().config("listen = \n").run();
    assert!(
        outcome.error().starts_with("config.toml:1: "),
        "{outcome:?}"
    );
}

#[test]
fn a_configuration_that_contradicts_itself() {
    let twice = "[[accounts]]\nsid = 'acc_1'\n[[accounts]]\nsid = 'acc_1'\n";
    assert!(Setup::new().config(twice).run().error().contains("acc_1"));
}

#[test]
fn a_store_that_another_process_holds() {
    let setup = Setup::new();
    let server = setup.start();
    let outcome = setup.run();
    let fault = outcome.error();

    assert!(
        fault.contains("data/store") && fault.contains("in use by another process"),
        "{fault}"
    );
    assert_eq!(
        server.client("t").get("/readyz").status,
        200,
        "the other one does not mind"
    );
}

#[test]
fn a_store_of_a_newer_version() {
    let setup = filled();
    let db = setup.engine();
    db.open_tree("meta")
        .unwrap()
        .insert("schema", "99")
        .unwrap();
    db.flush().unwrap();
    drop(db);
    let outcome = setup.run();
    assert!(outcome.error().contains("schema 99"), "{outcome:?}");
}

/// A stopped store with some objects in it.
fn filled() -> Setup {
    let setup = Setup::new();
    let server = setup.start();
    for number in 0..50 {
        server.client("t").create(&format!("number {number}"));
    }
    server.stop();
    setup
}

/// A store whose file was changed behind its back must not be served as if nothing had been.
#[track_caller]
fn is_refused_after(damage: impl FnOnce(&mut std::fs::File, u64)) {
    let setup = filled();
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(setup.store().join("db"))
        .unwrap();
    let length = file.metadata().unwrap().len();

    damage(&mut file, length);
    drop(file);
    for command in [setup.run(), setup.same_folder().args(["check"]).run()] {
        let fault = command.error();
        assert!(
            fault.contains("data/store") && fault.contains("damaged"),
            "{fault}"
        );
    }
}

fn overwrite(file: &mut std::fs::File, from: u64, length: usize) {
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xA5; length]).unwrap();
}

#[test]
fn a_store_whose_beginning_is_overwritten() {
    is_refused_after(|file, _| overwrite(file, 0, 256));
}

#[test]
fn a_store_with_garbage_in_its_records() {
    is_refused_after(|file, _| overwrite(file, 4_096, 16_384));
}

#[test]
fn a_store_that_is_garbage_throughout() {
    is_refused_after(|file, length| overwrite(file, 0, length.try_into().unwrap()));
}

#[test]
fn a_store_that_is_cut_off() {
    is_refused_after(|file, _| file.set_len(1_000).unwrap());
}

#[test]
fn a_store_whose_end_is_overwritten() {
    // The engine makes room in zeros; the last record ends where they begin.
    is_refused_after(|file, _| {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        std::io::Read::read_to_end(file, &mut bytes).unwrap();
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        overwrite(file, u64::try_from(end).unwrap() - 20, 1);
    });
}

#[test]
fn a_store_whose_file_is_gone() {
    let setup = filled();
    std::fs::remove_file(setup.store().join("db")).unwrap();
    assert!(setup.run().error().contains("damaged"));
}
