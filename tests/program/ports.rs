//! The port file, with servers side by side, stale files, and the loop of README.md.

use crate::support::{BINARY, Setup};
use std::{fs, process::Command, thread};

#[test]
fn servers_side_by_side_each_write_their_own_port() {
    let setup = Setup::bare();
    for _ in 0..5 {
        let servers: Vec<_> = thread::scope(|scope| {
            let start = |number: u16| {
                let port_file = format!("port.{number}");
                let arguments = [
                    "--ephemeral",
                    "--listen",
                    "127.0.0.1:0",
                    "--port-file",
                    &port_file,
                ]
                .map(String::from);
                let server = setup.same_folder().args(arguments).start();
                (port_file, server)
            };

            let starting: Vec<_> = (1..=8)
                .map(|number| scope.spawn(move || start(number)))
                .collect();

            starting
                .into_iter()
                .map(|server| server.join().unwrap())
                .collect()
        });

        for (port_file, server) in servers {
            let written = fs::read_to_string(setup.path(&port_file)).unwrap();
            assert_eq!(
                written,
                format!("{}\n", server.address.port()),
                "{port_file}"
            );
            server.stop();
        }

        assert_eq!(
            fs::read_dir(setup.path("")).unwrap().count(),
            0,
            "nothing is left of any"
        );
    }
}

#[test]
fn a_port_file_that_a_killed_server_left_is_removed_before_anything_can_fail() {
    let stale = || {
        let setup = Setup::new().args(["--port-file", "port"]);
        setup.write("port", "1\n");
        setup
    };

    let setup = stale().env("PAGERTREE_LOCAL_STRIKT", "1");
    setup.run().error();
    assert!(!setup.path("port").exists(), "the settings are wrong");

    let setup = stale();
    setup.write("data", "no folder");
    setup.run().error();
    assert!(!setup.path("port").exists(), "the store cannot be opened");
}

#[test]
fn what_another_server_put_into_the_place_of_a_port_file_stays() {
    let setup = Setup::new().args(["--port-file", "port"]);
    let server = setup.start();
    fs::remove_file(setup.path("port")).unwrap();
    setup.write("port", "of another\n");
    server.stop();
    assert_eq!(
        fs::read_to_string(setup.path("port")).unwrap(),
        "of another\n"
    );
}

#[test]
fn a_pipe_in_the_place_of_a_port_file_is_refused_and_stays() {
    let setup = Setup::new().args(["--port-file", "pipe"]);
    let made = Command::new("mkfifo")
        .arg(setup.path("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    assert!(setup.run().error().contains("not a regular file"));
    assert!(setup.path("pipe").exists());
}

/// The commands of README.md that start a server for tests.
fn readme_loop() -> String {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let blocks = readme
        .split("```sh run 200\n")
        .skip(1)
        .filter_map(|block| block.split("```").next());
    let mut found = blocks.filter(|block| block.contains("--port-file"));
    let text = found
        .next()
        .unwrap()
        .replace("target/release/pagertree-local", BINARY);
    assert!(text.contains(BINARY) && found.next().is_none());

    text
}

#[test]
fn the_loop_of_the_readme_ends_with_the_servers_message_when_the_start_fails() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pagertree.port"), "1\n").unwrap();
    let mut shell = Command::new("sh");

    shell
        .arg("-c")
        .arg(readme_loop())
        .current_dir(&folder)
        .env("PAGERTREE_LOCAL_STRIKT", "1");

    let output = shell.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();

    assert!(
        said.contains("the environment variable PAGERTREE_LOCAL_STRIKT does not name a setting"),
        "{said}"
    );
}
