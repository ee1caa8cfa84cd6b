//! Starting: what is announced, and what the flags of a start do.

use crate::support::{Setup, files_below};
use serde_json::json;
use std::{fs::Permissions, os::unix::fs::PermissionsExt};

#[test]
fn the_first_line_tells_where_it_listens_and_the_server_answers_there() {
    let server = Setup::new().start();
    let port = server.address.port();
    assert_eq!(
        server.first_line,
        format!("listening on http://127.0.0.1:{port}\n")
    );
    assert_ne!(port, 0);
    assert_eq!(server.client("t").get("/readyz").status, 200);
    server.stop();
}

#[test]
fn serve_may_be_said_or_left_out() {
    let server = Setup::bare()
        .args(["serve", "--listen", "127.0.0.1:0"])
        .start();
    assert_eq!(server.client("t").get("/livez").status, 200);
}

#[test]
fn the_port_file_holds_the_port_and_goes_away_with_the_server() {
    let setup = Setup::new().args(["--port-file", "port"]);
    let server = setup.start();
    let written = std::fs::read_to_string(setup.path("port")).unwrap();

    assert_eq!(written, format!("{}\n", server.address.port()));
    server.stop();
    let left = std::fs::read_dir(setup.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());

    assert_eq!(
        left.collect::<Vec<_>>(),
        ["data"],
        "neither the port file nor what it was made from"
    );
}

#[test]
fn an_ephemeral_store_leaves_nothing_behind() {
    let setup = Setup::new().arg_ephemeral();
    std::fs::create_dir(setup.path("temporary")).unwrap();
    let server = setup.start();

    server.client("t").create("gone soon");
    assert!(
        !files_below(&setup.path("temporary")).is_empty(),
        "the store is in the temporary folder"
    );
    server.stop();
    assert!(
        !setup.path("data").exists(),
        "the data folder is not touched"
    );
    let left = std::fs::read_dir(setup.path("temporary")).unwrap().count();
    assert_eq!(left, 0, "{:?}", files_below(&setup.path("temporary")));
}

#[test]
fn what_is_made_for_the_store_is_for_its_owner_only() {
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let setup = Setup::new();
    setup.start().stop();
    assert_eq!(
        [mode(setup.path("data")), mode(setup.store())],
        [0o700, 0o700]
    );

    let existing = Setup::new();
    std::fs::create_dir(existing.path("data")).unwrap();
    std::fs::set_permissions(existing.path("data"), Permissions::from_mode(0o750)).unwrap();
    existing.start().stop();
    assert_eq!(
        [mode(existing.path("data")), mode(existing.store())],
        [0o750, 0o700],
        "what is there stays as it is"
    );
}

impl Setup {
    fn arg_ephemeral(self) -> Self {
        let temporary = self.path("temporary");
        self.args(["--ephemeral"])
            .env("TMPDIR", temporary.to_str().unwrap())
    }
}

#[test]
fn strict_refuses_what_is_otherwise_dropped() {
    let body = json!({ "name": "n", "type": "webhook", "destination_ids": [], "colour": "red" });
    assert_eq!(
        Setup::new()
            .start()
            .client("t")
            .post("/integration", &body)
            .status,
        200
    );
    let refused = Setup::new()
        .args(["--strict"])
        .start()
        .client("t")
        .post("/integration", &body);
    assert_eq!(refused.status, 400);
    assert!(
        refused.messages()[0].contains("'colour'"),
        "{:?}",
        refused.messages()
    );
}

#[test]
fn open_mode_on_an_address_that_others_reach_wants_to_be_meant() {
    let everywhere = || Setup::bare().args(["--listen", "0.0.0.0:0"]);
    let outcome = everywhere().run();
    assert!(outcome.error().contains("--open-to-network"), "{outcome:?}");
    let server = everywhere().args(["--open-to-network"]).start();
    assert!(
        server
            .first_line
            .starts_with("listening on http://0.0.0.0:"),
        "{}",
        server.first_line
    );
}
