//! Where settings come from, and which of two wins.

use super::child::Setup;

/// The folder that the store went to tells which source won.
fn data_folders(setup: &Setup) -> Vec<String> {
    setup.start().stop();
    let entries = std::fs::read_dir(setup.path("")).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn without_a_word_the_store_goes_to_data() {
    assert_eq!(data_folders(&Setup::new()), ["data"]);
}

#[test]
fn a_file_in_the_current_folder_beats_the_defaults() {
    assert_eq!(data_folders(&Setup::new().config("data = 'from-file'")), ["from-file"]);
}

#[test]
fn the_environment_beats_the_file() {
    let setup = Setup::new().config("data = 'from-file'").env("PAGERTREE_LOCAL_DATA", "from-environment");
    assert_eq!(data_folders(&setup), ["from-environment"]);
}

#[test]
fn a_flag_beats_the_environment_and_the_file() {
    let setup = Setup::new().config("data = 'from-file'").env("PAGERTREE_LOCAL_DATA", "from-environment");
    assert_eq!(data_folders(&setup.args(["--data", "from-flag"])), ["from-flag"]);
}

#[test]
fn a_named_file_is_read_in_place_of_the_one_in_the_current_folder() {
    let setup = Setup::new().config("data = 'from-config-toml'");
    setup.write("other.toml", "data = 'from-other'");
    assert_eq!(data_folders(&setup.args(["--config", "other.toml"])), ["from-other"]);

    let setup = Setup::new().config("data = 'from-config-toml'").env("PAGERTREE_LOCAL_CONFIG", "other.toml");
    setup.write("other.toml", "data = 'from-other'");
    assert_eq!(data_folders(&setup), ["from-other"]);
}

#[test]
fn a_setting_within_a_table_has_its_variable() {
    let server = Setup::new().env("PAGERTREE_LOCAL_LIMITS_URL_BYTES", "100").start();
    let client = server.client("t");
    assert_eq!(client.get("/integration").status, 200);
    assert_eq!(client.get(&format!("/integration?name={}", "x".repeat(100))).status, 414);
}

#[test]
fn an_unknown_key_is_refused_by_name_with_its_file_and_line() {
    let outcome = Setup::new().config("strict = true\n\n[limits]\nbody_bites = 1\n").run();
    let fault = outcome.fault();
    assert!(fault.starts_with("config.toml:4: ") && fault.contains("body_bites"), "{fault}");
}

#[test]
fn an_unknown_variable_is_refused_by_name() {
    let outcome = Setup::new().env("PAGERTREE_LOCAL_STRIKT", "true").run();
    assert!(outcome.fault().contains("PAGERTREE_LOCAL_STRIKT"), "{outcome:?}");
}

#[test]
fn a_variable_of_another_kind_is_refused_by_name_with_what_would_be_right() {
    let outcome = Setup::new().env("PAGERTREE_LOCAL_STRICT", "perhaps").run();
    let fault = outcome.fault();
    assert!(fault.contains("PAGERTREE_LOCAL_STRICT") && fault.contains("true or false"), "{fault}");
}

#[test]
fn a_variable_with_a_value_that_is_none_of_the_choices_is_refused_in_one_line() {
    let outcome = Setup::new().env("PAGERTREE_LOCAL_AUTH_MODE", "closed").run();
    let fault = outcome.fault();
    assert!(fault.contains("closed") && fault.contains("keys"), "{fault}");
}
