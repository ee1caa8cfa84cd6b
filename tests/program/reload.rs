//! SIGHUP: settings are read again while requests go on.

use crate::support::{Server, Setup};
use rustix::process::Signal;
use sha2::{Digest, Sha256};

/// A configuration in keys mode in which each of these keys has the secret `secret-of-<key>`.
fn keys(ids: &[&str]) -> String {
    let mut text = String::from("[auth]\nmode = 'keys'\n[[accounts]]\nsid = 'acc_1'\n");
    for id in ids {
        let digest = Sha256::digest(format!("secret-of-{id}"));
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&format!(
            "[[keys]]\nid = '{id}'\naccount = 'acc_1'\nsecret_sha256 = '{digest}'\n"
        ));
    }
    text
}

fn status(server: &Server, id: &str) -> u16 {
    server
        .client(&format!("{id}.secret-of-{id}"))
        .get("/integration")
        .status
}

#[test]
fn a_new_key_works_and_a_removed_one_is_refused() {
    let setup = Setup::new().config(&keys(&["key_old"]));
    let server = setup.start();
    assert_eq!(
        (status(&server, "key_old"), status(&server, "key_new")),
        (200, 401)
    );
    setup.write("config.toml", &keys(&["key_new"]));
    server.signal(Signal::HUP);
    server.log.wait_for("Reloaded the configuration");
    assert_eq!(
        (status(&server, "key_old"), status(&server, "key_new")),
        (401, 200)
    );
}

#[test]
fn a_file_with_a_fault_changes_nothing_and_is_named_in_the_log() {
    let setup = Setup::new().config(&keys(&["key_old"]));
    let server = setup.start();
    setup.write("config.toml", &(keys(&["key_new"]) + "colour = 'red'\n"));
    server.signal(Signal::HUP);

    let line = server.log.wait_for("Cannot reload the configuration");
    assert!(
        line.contains("ERROR") && line.contains("config.toml:") && line.contains("colour"),
        "{line}"
    );
    assert_eq!(
        (status(&server, "key_old"), status(&server, "key_new")),
        (200, 401)
    );
    server.stop();
}

#[test]
fn a_setting_that_waits_for_the_next_start_is_named_in_the_log() {
    let setup = Setup::new().config("");
    let server = setup.start();
    setup.write("config.toml", "workers = 3\nstrict = true\n");
    server.signal(Signal::HUP);
    let line = server.log.wait_for("Reloaded the configuration");
    assert!(
        line.contains("WARN") && line.ends_with("settings=workers"),
        "{line}"
    );
}

#[test]
fn a_flag_still_beats_the_file_after_a_reload() {
    let setup = Setup::new().config("strict = true").args(["--strict"]);
    let server = setup.start();
    setup.write("config.toml", "strict = false");
    server.signal(Signal::HUP);
    server.log.wait_for("Reloaded the configuration");
    let body = serde_json::json!({ "name": "n", "type": "no_such_type", "destination_ids": [] });
    assert_eq!(server.client("t").post("/integration", &body).status, 400);
}

/// What counts is where the server listens, not where the new file says that the next one will.
#[test]
fn a_server_that_others_reach_is_not_opened_by_a_reload() {
    let setup = Setup::bare().config(&("listen = '0.0.0.0:0'\n".to_owned() + &keys(&["key_old"])));
    let server = setup.start();
    setup.write(
        "config.toml",
        "listen = '127.0.0.1:0'\nopen_to_network = true\n",
    );
    server.signal(Signal::HUP);

    let line = server.log.wait_for("Cannot reload the configuration");
    assert!(line.contains("--open-to-network"), "{line}");
    assert_eq!(
        (
            status(&server, "key_old"),
            server.client("stranger").get("/integration").status
        ),
        (200, 401)
    );
}

/// Each reload began to count anew.
#[test]
fn what_was_counted_stays_counted() {
    let limits = "[limits]\nevents_per_minute = 1\n";
    let setup = Setup::new().config(limits);
    let server = setup.start();
    let id = server.client("t").create("n")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let report = || {
        server
            .client("")
            .post(
                &format!("/integration/{id}"),
                &serde_json::json!({ "title": "x" }),
            )
            .status
    };

    assert_eq!((report(), report()), (200, 429));
    setup.write("config.toml", &format!("strict = true\n{limits}"));
    server.signal(Signal::HUP);
    server.log.wait_for("Reloaded the configuration");
    assert_eq!(report(), 429);
}
