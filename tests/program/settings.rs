//! Where settings come from, and which of two wins.

use crate::support::Setup;

/// The folder that the store went to tells which source won.
fn data_folders(setup: &Setup) -> Vec<String> {
    setup.start().stop();
    let entries = std::fs::read_dir(setup.path(""))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir());
    entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

#[test]
fn without_a_word_the_store_goes_to_data() {
    assert_eq!(data_folders(&Setup::new()), ["data"]);
}

#[test]
fn a_file_in_the_current_folder_beats_the_defaults() {
    assert_eq!(
        data_folders(&Setup::new().config("data = 'from-file'")),
        ["from-file"]
    );
}

#[test]
fn the_environment_beats_the_file() {
    let setup = Setup::new()
        .config("data = 'from-file'")
        .env("PAGERTREE_LOCAL_DATA", "from-environment");
    assert_eq!(data_folders(&setup), ["from-environment"]);
}

#[test]
fn a_flag_beats_the_environment_and_the_file() {
    let setup = Setup::new()
        .config("data = 'from-file'")
        .env("PAGERTREE_LOCAL_DATA", "from-environment");
    assert_eq!(
        data_folders(&setup.args(["--data", "from-flag"])),
        ["from-flag"]
    );
}

#[test]
fn a_named_file_is_read_in_place_of_the_one_in_the_current_folder() {
    let setup = Setup::new().config("data = 'from-config-toml'");
    setup.write("other.toml", "data = 'from-other'");
    assert_eq!(
        data_folders(&setup.args(["--config", "other.toml"])),
        ["from-other"]
    );

    let setup = Setup::new()
        .config("data = 'from-config-toml'")
        .env("PAGERTREE_LOCAL_CONFIG", "other.toml");

    setup.write("other.toml", "data = 'from-other'");
    assert_eq!(data_folders(&setup), ["from-other"]);
}

#[test]
fn a_setting_within_a_table_has_its_variable() {
    let server = Setup::new()
        .env("PAGERTREE_LOCAL_LIMITS_URL_BYTES", "100")
        .start();
    let client = server.client("t");
    assert_eq!(client.get("/integration").status, 200);
    assert_eq!(
        client
            .get(&format!("/integration?name={}", "x".repeat(100)))
            .status,
        414
    );
}

#[test]
fn an_unknown_key_is_refused_by_name_with_its_file_and_line() {
    let outcome = Setup::new()
        .config("strict = true\n\n[limits]\nbody_bites = 1\n")
        .run();
    let fault = outcome.error();
    assert!(
        fault.starts_with("config.toml:4: ") && fault.contains("body_bites"),
        "{fault}"
    );
}

#[test]
fn an_unknown_variable_is_refused_by_name() {
    let outcome = Setup::new().env("PAGERTREE_LOCAL_STRIKT", "true").run();
    assert!(
        outcome.error().contains("PAGERTREE_LOCAL_STRIKT"),
        "{outcome:?}"
    );
}

#[test]
fn a_variable_of_another_kind_is_refused_by_name_with_what_would_be_right() {
    let outcome = Setup::new().env("PAGERTREE_LOCAL_STRICT", "perhaps").run();
    let fault = outcome.error();
    assert!(
        fault.contains("PAGERTREE_LOCAL_STRICT") && fault.contains("true or false"),
        "{fault}"
    );
}

#[test]
fn a_variable_with_a_value_that_is_none_of_the_choices_is_refused_in_one_line() {
    let outcome = Setup::new()
        .env("PAGERTREE_LOCAL_AUTH_MODE", "closed")
        .run();
    let fault = outcome.error();
    assert!(
        fault.contains("closed") && fault.contains("keys"),
        "{fault}"
    );
}

#[test]
fn booleans_may_be_written_as_people_write_them() {
    for (value, status) in [("1", 400), ("yes", 400), ("0", 200), ("no", 200)] {
        let server = Setup::new().env("PAGERTREE_LOCAL_STRICT", value).start();
        let body =
            serde_json::json!({ "name": "n", "type": "no_such_type", "destination_ids": [] });
        assert_eq!(
            server.client("t").post("/integration", &body).status,
            status,
            "{value}"
        );
    }
}

#[test]
fn an_empty_variable_is_as_if_it_were_not_set() {
    let setup = Setup::new().config("data = 'from-file'");
    let setup = setup
        .env("PAGERTREE_LOCAL_DATA", "")
        .env("PAGERTREE_LOCAL_STRICT", "")
        .env("PAGERTREE_LOCAL_CONFIG", "");
    assert_eq!(data_folders(&setup), ["from-file"]);
}

/// A service of Kubernetes or a linked container that has this program's name puts these into the
/// environment.
#[test]
fn what_kubernetes_and_docker_put_into_the_environment_is_ignored() {
    let mut setup = Setup::new();
    for (name, value) in [
        ("SERVICE_HOST", "10.0.0.1"),
        ("SERVICE_PORT", "7243"),
        ("SERVICE_PORT_HTTP", "7243"),
        ("PORT", "tcp://10.0.0.1:7243"),
        ("PORT_7243_TCP", "tcp://10.0.0.1:7243"),
        ("PORT_7243_TCP_PROTO", "tcp"),
        ("PORT_7243_TCP_PORT", "7243"),
        ("PORT_7243_TCP_ADDR", "10.0.0.1"),
    ] {
        setup = setup.env(&format!("PAGERTREE_LOCAL_{name}"), value);
    }

    setup.start().stop();
    let outcome = setup.env("PAGERTREE_LOCAL_PORT_FIL", "x").run();
    assert!(
        outcome.error().contains("PAGERTREE_LOCAL_PORT_FIL"),
        "{outcome:?}"
    );
}

#[test]
fn a_file_of_another_program_is_told_with_the_way_out() {
    let foreign = "baseURL = 'https://example.org'\ntitle = 'A site'\n[log]\nlevel = 'info'\n";
    let outcome = Setup::new().config(foreign).run();
    let fault = outcome.error();

    assert!(
        fault.starts_with("config.toml:1: ") && fault.contains("another program"),
        "{fault}"
    );
    assert!(fault.contains("--config FILE"), "{fault}");
    Setup::new()
        .config(foreign)
        .args(["--config", "/dev/null"])
        .start()
        .stop();

    let named = Setup::new()
        .config(foreign)
        .args(["--config", "config.toml"])
        .run();

    assert!(!named.error().contains("another program"), "{named:?}");
    let mistaken = Setup::new()
        .config("strict = true\nlisten_on = 'x'\ndata = 'd'\n")
        .run();

    assert!(
        !mistaken.error().contains("another program"),
        "{mistaken:?}"
    );
}

#[test]
fn more_workers_than_files_allow_are_not_started_and_the_limit_is_named() {
    let server = Setup::new()
        .config("workers = 64\n")
        .open_files(128)
        .start();
    let line = server
        .log
        .wait_for("Starting 8 worker threads instead of 64");

    assert!(
        line.contains("only 128 files") && line.contains("ulimit -n"),
        "{line}"
    );
    assert_eq!(server.client("t").get("/readyz").status, 200);
    server.stop();
}

#[test]
fn keys_mode_without_a_key_says_that_nobody_can_sign_in() {
    let setup = Setup::new().config("[auth]\nmode = 'keys'\n");
    let server = setup.start();
    let line = server.log.wait_for("Every request will be refused");
    assert!(line.contains("WARN") && line.contains("keys new"), "{line}");
    server.stop();
}
