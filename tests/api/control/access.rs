//! Who may call the control plane, and for which accounts.

use crate::{callers::Caller, response::Response, server::TestServer, users};
use std::{fs, path::Path};

const TOKEN: &str = "owner-of-the-server";

fn reset(caller: &Caller, query: &str) -> Response {
    caller.send("POST", &format!("/_local/reset{query}"), None)
}

fn with_token() -> TestServer {
    TestServer::with(|settings| {
        users::declared(settings);
        settings.test.token = TOKEN.into();
    })
}

#[test]
fn control_plane_needs_a_credential() {
    let server = TestServer::start();
    reset(&server.anonymous(), "").assert_error(401, &["No credential"]);
}

#[test]
fn disabled_control_plane_does_not_exist() {
    let server = TestServer::with(|settings| settings.test.control = false);
    reset(&server.account("ops"), "").assert_error(404, &["There is no route '/_local/reset'"]);
}

#[test]
fn read_only_credential_may_not_change_anything() {
    let server = TestServer::with_people();
    reset(&server.read_only_key(), "").assert_error(403, &["may read the control plane"]);
    reset(&server.read_only_user(), "").assert_error(403, &["may read the control plane"]);
    reset(&server.key(), "").assert_status(204);
}

#[test]
fn key_may_not_act_for_all_accounts() {
    let server = with_token();
    server.stranger().created("theirs");
    reset(&server.key(), "?all=true").assert_error(403, &["only the owner's token"]);
    assert_eq!(server.stranger().total(""), 1);

    let owner = server.key().with("X-Test-Token", TOKEN);
    reset(&owner, "").assert_status(204);
    assert_eq!(
        server.stranger().total(""),
        1,
        "the account of the key only"
    );
    reset(&owner, "?all=true").assert_status(204);
    assert_eq!(server.stranger().total(""), 0);
}

#[test]
fn owners_token_as_the_credential_acts_for_all_accounts() {
    let server = with_token();
    for owner in [
        server.account(TOKEN),
        server.account(&format!("Bearer {TOKEN}")),
        server.anonymous().with("X-Test-Token", TOKEN),
    ] {
        server.key().created("ours");
        server.stranger().created("theirs");
        reset(&owner, "").assert_status(204);
        assert_eq!(
            (server.key().total(""), server.stranger().total("")),
            (0, 0)
        );
    }
}

#[test]
fn token_of_the_data_folder_is_the_owners() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk_with(|settings| {
        users::declared(settings);
        settings.data = folder.path().to_owned();
    });
    server.stranger().created("theirs");
    let owner = server.account(&token_in(folder.path()));
    reset(&owner, "").assert_status(204);
    assert_eq!(server.stranger().total(""), 0);
}

fn token_in(data: &Path) -> String {
    let info: serde_json::Value =
        serde_json::from_slice(&fs::read(data.join("running")).unwrap()).unwrap();
    info["token"].as_str().unwrap().to_owned()
}

#[test]
fn forwarded_request_needs_the_owners_token() {
    let server = with_token();
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
        let remote = server.key().with(name, "for=192.0.2.1");
        reset(&remote, "").assert_error(401, &["needs the owner's token"]);
        reset(&remote.with("X-Test-Token", "not-the-token"), "")
            .assert_error(401, &["'X-Test-Token' is wrong"]);
        reset(&remote.with("X-Test-Token", TOKEN), "").assert_status(204);
    }
}

#[test]
fn page_of_another_site_is_refused() {
    let server = TestServer::start();
    let page = server
        .account("ops")
        .with("Origin", "https://evil.example")
        .with("Sec-Fetch-Site", "cross-site");
    assert_eq!(reset(&page, "").status, 403);
}

#[test]
fn unknown_value_of_all_is_refused() {
    let server = TestServer::start();
    reset(&server.account("ops"), "?all=yes")
        .assert_error(400, &["'all' must be true or false, but was 'yes'"]);
}
