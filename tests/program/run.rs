//! `run`: a command beside a temporary server.

use crate::support::{BINARY, Setup, files_below};
use rustix::process::Signal;
use std::fs;

fn run(command: &str) -> Setup {
    run_with(&[], command)
}

/// The program's temporary folder is within the folder of the test.
fn run_with(flags: &[&str], command: &str) -> Setup {
    let setup = Setup::bare();
    fs::create_dir(setup.path("temporary")).unwrap();
    let temporary = setup.path("temporary");
    setup
        .args(["run"])
        .args(flags.iter().copied())
        .args(["--", "sh", "-c", command])
        .env("TMPDIR", temporary.to_str().unwrap())
        .env("BINARY", BINARY)
}

fn leaves_nothing(setup: &Setup) -> bool {
    files_below(&setup.path("temporary")).is_empty()
}

#[test]
fn the_command_finds_a_server_that_is_ready() {
    let setup = run(
        r#""$BINARY" healthcheck --url "$PAGERTREE_LOCAL_URL" && echo "$PAGERTREE_LOCAL_TOKEN""#,
    );
    let outcome = setup.run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.trim_end().len() >= 32, "{outcome:#?}");
    assert_eq!(outcome.stderr, "", "standard error belongs to the command");
    assert!(leaves_nothing(&setup));
}

#[test]
fn run_ends_with_the_exit_code_of_the_command() {
    for (command, code) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)] {
        let outcome = run(command).run();
        assert_eq!(outcome.code, Some(code), "{command}: {outcome:#?}");
    }
}

#[test]
fn a_command_that_cannot_be_started_is_named() {
    for (command, code) in [("no-such-command", 127), ("/", 126)] {
        let outcome = Setup::bare().args(["run", "--", command]).run();
        assert_eq!(outcome.code, Some(code), "{outcome:#?}");
        assert!(
            outcome.stderr.contains(&format!("cannot run '{command}'")),
            "{outcome:#?}"
        );
    }
}

#[test]
fn each_run_has_a_credential_of_its_own_unless_one_is_given() {
    let token = |setup: Setup| setup.run().stdout;
    let command = r#"echo "$PAGERTREE_LOCAL_TOKEN""#;
    assert_ne!(token(run(command)), token(run(command)));
    assert_eq!(
        token(run(command).env("PAGERTREE_LOCAL_TOKEN", "mine")),
        "mine\n"
    );
}

#[test]
fn signals_reach_the_command_and_its_answer_counts() {
    // The shell runs its traps between two short commands. A signal just before `wait` would be missed.
    let script = "trap 'exit 9' TERM; trap 'exit 8' USR1; echo > started; \
                  while :; do sleep 0.05; done";
    for (signal, code) in [(Signal::TERM, 9), (Signal::USR1, 8)] {
        let setup = run(script);
        let outcome = setup.run_and_signal_when(signal, || setup.path("started").exists());
        assert_eq!(outcome.code, Some(code), "{outcome:#?}");
        assert!(leaves_nothing(&setup));
    }
}

#[test]
fn a_data_folder_that_is_named_is_kept() {
    let outcome = run_with(&["--data", "kept"], "ls kept/store").run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");

    let setup = run_with(&["--data", "kept"], "exit 0");
    setup.run();
    assert!(setup.path("kept/store/conf").exists());
    assert!(leaves_nothing(&setup));
}

#[test]
fn the_configuration_of_the_working_directory_does_not_matter_unless_it_is_named() {
    let setup = run("exit 0");
    setup.write("config.toml", "title = \"a site\"\n");
    assert_eq!(setup.run().code, Some(0));

    let setup = run_with(&["--config", "config.toml"], "exit 0");
    setup.write("config.toml", "title = \"a site\"\n");
    assert_eq!(setup.run().code, Some(1));
}

#[test]
fn the_command_gets_the_address_of_the_mail_server() {
    let setup = run(r#"echo "$PAGERTREE_LOCAL_MAIL" > mail"#)
        .env("PAGERTREE_LOCAL_SMTP_LISTEN", "127.0.0.1:0");
    assert_eq!(setup.run().code, Some(0));
    let mail = fs::read_to_string(setup.path("mail")).unwrap();
    assert!(mail.starts_with("smtp://127.0.0.1:"), "{mail}");
}

/// The variables that `run` sets are no settings, so commands of this program work within it.
#[test]
fn commands_of_this_program_run_within_run() {
    let setup = run(
        r#""$BINARY" run -- sh -c 'echo "$PAGERTREE_LOCAL_URL"' && echo "$PAGERTREE_LOCAL_URL""#,
    );
    let outcome = setup.run();
    let urls: Vec<&str> = outcome.stdout.lines().collect();
    assert!(urls.len() == 2 && urls[0] != urls[1], "{outcome:#?}");
}

/// A host name of a client cannot be changed everywhere, so the command sees another hosts file.
#[test]
fn a_host_name_leads_to_the_server_for_the_command_alone() {
    let host = "api.pagertree.com";
    let script =
        r#""$BINARY" healthcheck --url "$PAGERTREE_LOCAL_URL" && echo "$PAGERTREE_LOCAL_URL""#;
    let outcome = run_with(&["--as", host], script).run();
    if outcome.code == Some(1) && outcome.stderr.contains(&format!("--as {host}")) {
        // Needs port 443 and a mount namespace, which not every system allows.
        println!("skipped: {}", outcome.stderr);
        return;
    }

    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(outcome.stdout, "https://api.pagertree.com\n");
    let hosts = fs::read_to_string("/etc/hosts").unwrap();
    assert!(!hosts.contains(host), "the system's own file is as before");
}

#[test]
fn what_is_no_host_name_is_refused_as_an_alias() {
    for name in ["https://api.pagertree.com", "a b", "a:1", "[::1]", ""] {
        let outcome = run_with(&["--as", name], "exit 0").run();
        let error = outcome.error();
        assert!(error.contains("not a host name"), "{error}");
    }
}

#[test]
fn the_command_trusts_the_authority_of_the_server() {
    let script = r#"cp "$PAGERTREE_LOCAL_CA_FILE" ca && cp "$SSL_CERT_FILE" bundle && cp "$NODE_EXTRA_CA_CERTS" node"#;
    let setup = run_with(&["--tls"], script);
    setup.write("others", "others\n");
    let others = setup.path("others");
    let setup = setup
        .env("SSL_CERT_FILE", others.to_str().unwrap())
        .env("NODE_EXTRA_CA_CERTS", "");
    let outcome = setup.run();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");

    let read = |name: &str| fs::read_to_string(setup.path(name)).unwrap();
    assert!(read("ca").starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(read("bundle"), format!("others\n\n{}", read("ca")));
    assert_eq!(read("node").trim_start(), read("ca"));
    assert!(leaves_nothing(&setup));
}
