//! `POST /_local/verify`.

use crate::{
    callers::{Caller, id},
    response::Response,
    server::TestServer,
};
use serde_json::{Value, json};

fn verify(account: &Caller, body: Value) -> Response {
    account.send("POST", "/_local/verify", Some(&body.to_string()))
}

/// An account whose journal has the update of an integration, and that integration's id.
fn recorded(server: &TestServer) -> (Caller, String) {
    let account = server.account("ops");
    account
        .send("DELETE", "/_local/requests", None)
        .assert_status(204);
    let object = account.created("disk");
    account
        .update(id(&object), json!({"enabled": true, "urgency": "low"}))
        .assert_status(200);
    account.list("limit=5").assert_status(200);
    (account, id(&object).to_owned())
}

#[test]
fn expected_requests_are_confirmed() {
    let server = TestServer::start();
    let (account, id) = recorded(&server);
    let path = format!("/integration/{id}");
    for (conditions, count, matched) in [
        (json!({}), json!(3), 3),
        (json!({"method": "PUT", "path": path}), json!(1), 1),
        (json!({"path": "/integration/**"}), json!({"min": 1}), 3),
        (json!({"path": "/integration/*"}), json!(1), 1),
        (json!({"body": {"enabled": true}}), json!({"max": 2}), 1),
        (json!({"query": {"limit": 5}, "status": 200}), json!(1), 1),
        (json!({"method": "DELETE"}), json!(0), 0),
    ] {
        let found = verify(&account, json!({"match": conditions, "count": count}));
        assert_eq!(
            found.assert_status(200).json(),
            json!({"matched": matched}),
            "{conditions}"
        );
    }
    verify(&account, json!({"match": {"method": "PUT"}})).assert_status(200);
}

#[test]
fn near_misses_say_what_matched_and_what_did_not() {
    let server = TestServer::start();
    let (account, id) = recorded(&server);
    let path = format!("/integration/{id}");
    let wanted = json!({
        "match": {"method": "PUT", "path": path, "body": {"enabled": false}},
        "count": 1,
    });
    verify(&account, wanted).assert_error(
        409,
        &[
            "0 of 3 recorded requests matched, wanted 1",
            &format!("PUT {path} matched method and path; body.enabled was true, wanted false"),
            "GET /integration matched nothing; method was \"GET\", wanted \"PUT\"; path was \"/integration\"",
            "POST /integration matched nothing",
        ],
    );
}

#[test]
fn surplus_requests_are_listed() {
    let server = TestServer::start();
    let (account, id) = recorded(&server);
    let put = format!("PUT /integration/{id} matched");
    verify(
        &account,
        json!({"match": {"status": 200, "path": "/integration/*"}, "count": {"max": 0}}),
    )
    .assert_error(409, &["1 of 3 recorded requests matched, wanted 0", &put]);
}

#[test]
fn verification_without_a_journal_says_so() {
    let server = TestServer::start();
    let account = server.account("ops");
    account.created("unseen");
    verify(&account, json!({"match": {"method": "POST"}})).assert_error(
        409,
        &["No request was recorded: the journal of this account begins now"],
    );
    verify(&account, json!({"match": {"method": "POST"}})).assert_error(
        409,
        &["0 requests matched, wanted at least 1; none was recorded"],
    );
}

#[test]
fn malformed_verification_is_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (body, part) in [
        (json!({"mach": {}}), "'mach' is not a known parameter"),
        (json!({"match": []}), "'match' must be an object"),
        (
            json!({"match": {"metod": "PUT"}}),
            "'match': 'metod' is not an attribute",
        ),
        (json!({"count": -1}), "'count' must be a whole number"),
    ] {
        verify(&account, body).assert_error(400, &[part]);
    }
}
