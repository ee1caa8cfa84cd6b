//! `keys new` and `users new`: what they print is pasted into the configuration and lets somebody
//! in.

use crate::support::{Client, Outcome, Server, Setup};
use serde_json::{Value, json};

/// What a command printed: lines for people, and the block for the file.
struct Printed {
    shown: String,
    block: String,
}

impl From<Outcome> for Printed {
    fn from(outcome: Outcome) -> Self {
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (Some(0), ""),
            "{outcome:?}"
        );

        let (shown, block): (Vec<&str>, Vec<&str>) = outcome
            .stdout
            .lines()
            .partition(|line| line.starts_with('#'));

        Self {
            shown: shown.join("\n"),
            block: block.join("\n"),
        }
    }
}

impl Printed {
    /// What stands behind a label in the lines for people.
    fn after(&self, label: &str) -> String {
        let line = self.shown.lines().find_map(|line| line.split_once(label));
        line.unwrap_or_else(|| panic!("no {label} in {}", self.shown))
            .1
            .to_owned()
    }

    fn pasted_into(&self, setup: &Setup) -> Server {
        let before = std::fs::read_to_string(setup.path("config.toml")).unwrap_or_default();
        setup.write(
            "config.toml",
            &format!("{before}\n[auth]\nmode = 'keys'\n{}", self.block),
        );
        setup.start()
    }

    fn toml(&self) -> toml::Table {
        toml::from_str(&self.block).unwrap()
    }
}

fn run(setup: &Setup, arguments: &[&str]) -> Printed {
    setup
        .same_folder()
        .args(arguments.iter().copied())
        .run()
        .into()
}

/// Each form in which a key may be sent.
fn forms(server: &Server, key: &Printed) -> [Client; 3] {
    let token = key.after("Authorization: ");
    let pair = Client::new(server.address)
        .with_header("x-api-key", &key.after("x-api-key: "))
        .with_header("x-api-secret", &key.after("x-api-secret: "));
    [
        server.client(&token),
        server.client(&format!("Bearer {token}")),
        pair,
    ]
}

#[test]
fn a_new_key_works_in_each_form_and_its_secret_is_not_in_the_file() {
    let setup = Setup::new();
    let key = run(&setup, &["keys", "new", "--account", "ops"]);
    assert!(
        !key.block.contains(&key.after("x-api-secret: ")),
        "{}",
        key.block
    );

    let server = key.pasted_into(&setup);
    for client in forms(&server, &key) {
        client.create("n");
        assert_eq!(client.get("/integration").status, 200);
    }

    assert_eq!(server.client("t").get("/integration").status, 401);
    let id = key.after("x-api-key: ");
    assert_eq!(
        server
            .client(&format!("{id}.wrong"))
            .get("/integration")
            .status,
        401
    );
}

#[test]
fn a_read_only_key_reads_and_does_not_write() {
    let setup = Setup::new();
    let key = run(&setup, &["keys", "new", "--account", "ops", "--read-only"]);
    let server = key.pasted_into(&setup);
    for client in forms(&server, &key) {
        assert_eq!(client.get("/integration").status, 200);
        assert_eq!(client.post("/integration", &json!({})).status, 403);
    }
}

#[test]
fn an_account_is_found_by_name_and_by_sid_and_made_when_it_is_not_there() {
    let setup = Setup::new().config("[[accounts]]\nsid = 'acc_known'\nname = 'ops'\n");
    for known in ["ops", "acc_known"] {
        let key = run(&setup, &["keys", "new", "--account", known]).toml();
        assert!(
            !key.contains_key("accounts"),
            "it is declared already: {key}"
        );
        assert_eq!(key["keys"][0]["account"].as_str(), Some("acc_known"));
    }

    let named = run(&setup, &["keys", "new", "--account", "dev"]).toml();
    assert_eq!(named["accounts"][0]["name"].as_str(), Some("dev"));
    assert_eq!(named["accounts"][0]["sid"], named["keys"][0]["account"]);

    let new = run(&setup, &["keys", "new", "--account", "acc_new"]).toml();
    assert_eq!(new["accounts"][0]["sid"].as_str(), Some("acc_new"));
}

#[test]
fn an_account_that_can_be_none_is_refused() {
    for account in ["", "acc_", "acc_with space"] {
        let outcome = Setup::bare()
            .args(["keys", "new", "--account", account])
            .run();
        assert!(outcome.error().contains("--account"), "{outcome:?}");
    }
}

#[test]
fn the_account_is_looked_up_in_a_named_file_too() {
    let setup = Setup::new();
    setup.write(
        "other.toml",
        "[[accounts]]\nsid = 'acc_known'\nname = 'ops'\n",
    );
    let key = run(
        &setup,
        &["keys", "new", "--account", "ops", "--config", "other.toml"],
    )
    .toml();
    assert_eq!(key["keys"][0]["account"].as_str(), Some("acc_known"));
}

fn log_in(server: &Server, credentials: &Value) -> Client {
    let answer = Client::new(server.address).post("/public/login", credentials);
    assert_eq!(answer.status, 200, "{answer:?}");
    server.client(answer.json()["token"].as_str().unwrap())
}

#[test]
fn a_new_user_logs_in_with_what_is_printed() {
    let setup = Setup::new();
    let user = run(
        &setup,
        &[
            "users",
            "new",
            "--account",
            "ops",
            "--username",
            "alice \"a\"",
        ],
    );
    let credentials: Value = serde_json::from_str(&format!("{{{}", user.after("{"))).unwrap();
    assert_eq!(credentials["username"], "alice \"a\"");
    let password = credentials["password"].as_str().unwrap();
    assert!(!user.block.contains(password), "{}", user.block);

    let server = user.pasted_into(&setup);
    let alice = log_in(&server, &credentials);
    let sid = user.toml()["users"][0]["account"]
        .as_str()
        .unwrap()
        .to_owned();

    assert_eq!(alice.create("n")["sid"], sid.as_str());
    let wrong = json!({ "username": "alice \"a\"", "password": "wrong" });
    assert_eq!(
        Client::new(server.address)
            .post("/public/login", &wrong)
            .status,
        401
    );
}

#[test]
fn a_password_from_standard_input_is_shown_nowhere() {
    let setup = Setup::new();
    let arguments = [
        "users",
        "new",
        "--account",
        "ops",
        "--username",
        "bob",
        "--read-only",
        "--password-stdin",
    ];
    let printed = setup
        .same_folder()
        .args(arguments)
        .run_with_input("correct horse\r\nsecond line\n");
    assert!(!printed.stdout.contains("correct horse"), "{printed:?}");

    let server = Printed::from(printed).pasted_into(&setup);
    let bob = log_in(
        &server,
        &json!({ "username": "bob", "password": "correct horse" }),
    );

    assert_eq!(bob.get("/integration").status, 200);
    assert_eq!(bob.post("/integration", &json!({})).status, 403);
}

#[test]
fn no_password_on_standard_input_is_refused() {
    let arguments = [
        "users",
        "new",
        "--account",
        "ops",
        "--username",
        "bob",
        "--password-stdin",
    ];

    for input in ["", "\n"] {
        let outcome = Setup::bare().args(arguments).run_with_input(input);
        assert!(outcome.error().contains("no password"), "{outcome:?}");
    }
}

#[test]
fn an_empty_user_name_is_refused() {
    let outcome = Setup::bare()
        .args(["users", "new", "--account", "ops", "--username", ""])
        .run();
    assert!(outcome.error().contains("--username"), "{outcome:?}");
}

#[test]
fn two_pasted_blocks_stand_beside_each_other() {
    let setup = Setup::new();
    let key = run(&setup, &["keys", "new", "--account", "ops"]);
    let user = run(
        &setup,
        &["users", "new", "--account", "dev", "--username", "alice"],
    );
    setup.write("config.toml", &user.block);
    let server = key.pasted_into(&setup);
    let [client, ..] = forms(&server, &key);
    assert_eq!(client.get("/integration").status, 200);
}

#[test]
fn a_user_name_that_is_there_is_refused() {
    let setup = Setup::new();
    let arguments = [
        "users",
        "new",
        "--account",
        "ops",
        "--username",
        "alice@example.com",
    ];
    let user = run(&setup, &arguments);
    user.pasted_into(&setup).stop();
    let again = setup.same_folder().args(arguments).run();
    assert!(
        again
            .error()
            .contains("user 'alice@example.com' already exists"),
        "{again:?}"
    );
}
