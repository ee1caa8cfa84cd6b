//! Commands that are interrupted, whose output takes no more, or that were killed: they clear up,
//! say so, and leave the store as it was.

use super::{
    kills::{export_of, filled},
    moving::{exported, in_data, is_sound, store_with_a_history},
};
use crate::support::{Outcome, Setup};
use rustix::process::Signal;
use std::{fs, fs::File, path::Path};

/// Interrupts a command as soon as a file or folder is there, again and again until it was in time.
#[track_caller]
fn is_interrupted(setup: &Setup, command: &[&str], signal: Signal, code: i32, begun: &Path) {
    for _ in 0..50 {
        let outcome = setup
            .same_folder()
            .args(command.iter().copied())
            .run_and_signal_when(signal, || begun.exists());

        if outcome.code == Some(0) {
            continue;
        }

        assert_eq!(outcome.code, Some(code), "{command:?}: {outcome:#?}");
        let said = "pagertree-local: interrupted by a signal; the store is unchanged\n";
        assert_eq!(
            (outcome.stdout.as_str(), outcome.stderr.as_str()),
            ("", said),
            "{command:?}"
        );
        return;
    }

    panic!("{command:?} always ended before the signal came");
}

#[test]
fn a_command_that_writes_a_file_leaves_none() {
    let setup = filled();
    let before = exported(&setup);
    for (command, signal, code) in [
        (&["backup", "out"][..], Signal::INT, 130),
        (&["export", "out"], Signal::TERM, 143),
        (&["export", "--salvage", "out"], Signal::HUP, 129),
    ] {
        is_interrupted(&setup, command, signal, code, &setup.path("out.partial"));
        assert!(!setup.path("out.partial").exists() && !setup.path("data/store.salvage").exists());
        let _there_is_one_if_it_ended_before = fs::remove_file(setup.path("out"));
    }

    assert_eq!(in_data(&setup), ["store"]);
    assert_eq!(exported(&setup), before);
    is_sound(&setup);
}

#[test]
fn a_command_that_replaces_the_store_leaves_the_old_one() {
    let setup = filled();
    assert_eq!(
        setup
            .same_folder()
            .args(["backup", "all.backup"])
            .run()
            .code,
        Some(0)
    );
    setup.write("second.jsonl", &export_of(&["acc_2"]));
    let before = exported(&setup);

    for command in [
        &["compact"][..],
        &["restore", "--replace", "all.backup"],
        &["import", "second.jsonl"],
    ] {
        is_interrupted(
            &setup,
            command,
            Signal::INT,
            130,
            &setup.path("data/store.new"),
        );
        assert_eq!(in_data(&setup), ["store"], "{command:?}");
        assert_eq!(exported(&setup), before, "{command:?}");
    }

    is_sound(&setup);
}

/// The first signal is noted, but who waits for somebody else has no next step.
#[test]
fn a_second_signal_ends_a_command_at_once() {
    let setup = store_with_a_history();
    let server = setup.start();
    server.signal(Signal::STOP);

    let command = setup.same_folder().args(["export", "out"]);
    let (signalled, process) =
        command.signal_until_exit(Signal::TERM, || setup.path("out.partial").exists());

    assert!(
        signalled >= 2 && process.code == Some(143),
        "{signalled} {process:#?}"
    );
    server.signal(Signal::CONT);
    server.stop();
}

#[test]
fn what_a_killed_command_left_goes_when_a_server_starts() {
    let setup = filled();
    for name in ["store.new", "store.salvage"] {
        fs::create_dir(setup.path("data").join(name)).unwrap();
        setup.write(&format!("data/{name}/db"), "left");
    }
    let server = setup.start();
    server.log.wait_for("store.new");
    server.log.wait_for("store.salvage");
    server.stop();
    assert_eq!(in_data(&setup), ["store"]);
}

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[track_caller]
fn assert_done_but_unreported(outcome: &Outcome, words: &str) {
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(
        outcome.stderr.contains(words)
            && outcome.stderr.contains("writing to standard output failed"),
        "{outcome:#?}"
    );
}

#[test]
fn a_result_is_reported_on_stderr_when_stdout_is_full() {
    let setup = filled();
    let before = exported(&setup);
    assert_done_but_unreported(
        &setup
            .same_folder()
            .args(["compact"])
            .run_with_stdout(full()),
        "compacted the store from ",
    );
    assert_done_but_unreported(
        &setup
            .same_folder()
            .args(["backup", "all"])
            .run_with_stdout(full()),
        "entries to 'all'",
    );
    let restore = setup.same_folder().args(["restore", "--replace", "all"]);
    assert_done_but_unreported(&restore.run_with_stdout(full()), "restored ");
    assert_eq!(exported(&setup), before);
}

#[test]
fn an_export_whose_reader_leaves_ends_quietly() {
    let setup = filled();
    let quietly = |when: &str| {
        let outcome = setup.same_folder().args(["export"]).run_and_close_stdout();
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (Some(141), ""),
            "{when}"
        );
    };

    quietly("stopped");
    let server = setup.start();
    quietly("running");
    server.stop();
}

#[test]
fn where_the_file_takes_no_more_the_server_is_not_blamed() {
    let setup = filled();
    let server = setup.start();
    for command in ["backup", "export"] {
        let outcome = setup
            .same_folder()
            .file_blocks(100)
            .args([command, "out"])
            .run();
        let fault = outcome.error();
        assert!(
            fault.contains("cannot be written: File too large") && !fault.contains("server"),
            "{fault}"
        );
        assert!(!setup.path("out").exists() && !setup.path("out.partial").exists());
    }

    server.stop();
}

#[test]
fn a_restore_does_not_replace_what_came_meanwhile() {
    let setup = filled();
    assert_eq!(
        setup
            .same_folder()
            .args(["backup", "all.backup"])
            .run()
            .code,
        Some(0)
    );
    let fresh = setup.path("fresh");
    let restore = setup
        .same_folder()
        .args(["restore", "--data", "fresh", "all.backup"]);
    let mut made = false;
    let outcome = restore.run_and_signal_when(Signal::WINCH, || {
        if !made && fresh.join("store.new").exists() {
            fs::create_dir(fresh.join("store")).unwrap();
            fs::write(fresh.join("store/db"), "somebody's").unwrap();
            made = true;
        }
        false
    });

    assert!(
        outcome
            .error()
            .contains("another process created a store in 'fresh/store' meanwhile"),
        "{outcome:#?}"
    );
    assert_eq!(
        fs::read_to_string(fresh.join("store/db")).unwrap(),
        "somebody's"
    );
    assert!(!fresh.join("store.new").exists());
}
