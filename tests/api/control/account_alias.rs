//! `/_local/as/:name/…`: any route, in an account of that name.

use crate::{callers::id, server::TestServer, users};
use serde_json::json;

const BODY: &str = r#"{"name": "x", "type": "email", "destination_ids": []}"#;

#[test]
fn each_name_has_an_account_of_its_own() {
    let server = TestServer::start();
    let fixed = server.account("fixed");
    let create = |prefix: &str| {
        let path = format!("{prefix}/integration");
        fixed.send("POST", &path, Some(BODY)).assert_status(200)
    };
    let total = |prefix: &str| {
        let list = fixed.send("GET", &format!("{prefix}/integration"), None);
        list.assert_status(200).json()["total_count"].clone()
    };

    create("");
    let created = create("/_local/as/one");
    create("/_local/as/one");
    let totals = ["", "/_local/as/one", "/_local/as/two"].map(total);
    assert_eq!(totals, [json!(1), json!(2), json!(0)]);

    let object = created.json();
    let location = created.header("location").unwrap();
    assert_eq!(
        location,
        format!("/_local/as/one/integration/{}", id(&object))
    );
    let read = fixed.send("GET", location, None).assert_status(200);
    assert_eq!(read.json(), object);
    fixed.get(id(&object)).assert_status(404);
}

#[test]
fn account_depends_on_the_token_too() {
    let server = TestServer::start();
    let create = |token: &str| {
        let path = "/_local/as/one/integration";
        let created = server.account(token).send("POST", path, Some(BODY));
        created.assert_status(200).json()["sid"].clone()
    };
    assert_ne!(create("a"), create("b"));
    assert_eq!(create("a"), create("a"));
}

#[test]
fn links_of_lists_lead_to_the_same_account() {
    let server = TestServer::start();
    let fixed = server.account("fixed");
    let list = fixed.send("GET", "/_local/as/one/integration?limit=5", None);
    let link = list.header("link").unwrap();
    assert!(
        link.contains("/_local/as/one/integration?limit=5&offset=0>"),
        "{link}"
    );
}

#[test]
fn control_plane_works_in_the_account_of_a_name() {
    let server = TestServer::start();
    let fixed = server.account("fixed");
    fixed.created("x");
    for path in ["/_local/as/one/integration", "/_local/as/two/integration"] {
        fixed.send("POST", path, Some(BODY)).assert_status(200);
    }
    fixed
        .send("POST", "/_local/as/one/_local/reset", None)
        .assert_status(204);
    let total = |path: &str| fixed.send("GET", path, None).json()["total_count"].clone();
    assert_eq!(total("/_local/as/one/integration"), 0);
    assert_eq!(total("/_local/as/two/integration"), 1);
    assert_eq!(fixed.total(""), 1);
}

#[test]
fn name_gives_no_access_beyond_the_credential() {
    let server = TestServer::with_people();
    let path = "/_local/as/one/integration";
    server
        .anonymous()
        .send("GET", path, None)
        .assert_status(401);
    server
        .read_only_key()
        .send("POST", path, Some(BODY))
        .assert_status(403);
    let created = server.key().send("POST", path, Some(BODY)).json();
    assert_ne!(created["sid"], users::OURS);
    let stranger = server.stranger().send("GET", path, None).json();
    assert_eq!(stranger["total_count"], 0);
}

#[test]
fn malformed_name_leads_nowhere() {
    let server = TestServer::start();
    for path in ["/_local/as/a%20b/alert", "/_local/as/one"] {
        server
            .account("fixed")
            .send("GET", path, None)
            .assert_error(404, &["There is no route"]);
    }
    let server = TestServer::with(|settings| settings.test.control = false);
    server
        .account("fixed")
        .send("GET", "/_local/as/one/alert", None)
        .assert_status(404);
}
