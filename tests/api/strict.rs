//! Strict, by setting or by `X-Strict: true`: what the documents do not allow is refused. Lenient
//! otherwise.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::json;

const PUBLISHED: &str = "
    amazonwebservices apexping appdynamics cronitorio datadog deadmanssnitch elastalert email freshdesk
    freshservice grafana healthchecksio hyperping jiraserver jotform kapacitor newrelic outgoingwebhook
    pingdom prometheus prtg serverguard24 site24x7 slackoutgoingwebhook solarwinds stackdriver statuscake
    twilio_livecallrouting typeform uptime uptimerobot webhook zendesk";

fn assert_strict(account: &Caller) {
    let existing = account.created("x");
    for (change, expected) in [
        (
            json!({"colour": "red"}),
            ["'colour' is not a known parameter"].as_slice(),
        ),
        (
            json!({"zeta": 1, "alpha": null}),
            &["'alpha' is not", "'zeta' is not"],
        ),
        (
            json!({"type": "carrier_pigeon"}),
            &["'type' must be one of amazonwebservices, apexping"],
        ),
        (
            json!({"destination_ids": ["tem_a", "abc_1"]}),
            &["'destination_ids' at position 1 must be a team, router, user or schedule id"],
        ),
    ] {
        account
            .update(id(&existing), change.clone())
            .assert_error(400, expected);
        let mut draft = json!({"name": "y", "type": "email", "destination_ids": []});
        draft
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        account.create(draft).assert_error(400, expected);
    }

    assert_eq!(account.list("").json()["data"], json!([existing]));
}

#[test]
fn a_strict_server_refuses_undocumented_input() {
    let server = TestServer::with(|settings| settings.strict = true);
    assert_strict(&server.account("ops"));
}

#[test]
fn a_strict_request_is_validated_strictly_by_a_lenient_server() {
    let server = TestServer::start();
    assert_strict(&server.account("ops").with("X-Strict", "true"));
}

#[test]
fn a_lenient_request_is_accepted_by_the_same_server() {
    let server = TestServer::start();
    let created = server
        .account("ops")
        .created_from(json!({"name": "x", "type": "carrier_pigeon", "destination_ids": ["abc_1"], "colour": "red"}));
    assert_eq!(created["type"], "carrier_pigeon");
    assert_eq!(created["destination_ids"], json!(["abc_1"]));
}

#[test]
fn a_request_cannot_relax_a_strict_server() {
    let server = TestServer::with(|settings| settings.strict = true);
    let account = server.account("ops").with("X-Strict", "false");
    account
        .create(json!({"name": "x", "type": "pigeon", "destination_ids": []}))
        .assert_error(400, &["'type' must be one of"]);
}

#[test]
fn published_types_and_destinations_are_accepted() {
    let server = TestServer::with(|settings| settings.strict = true);
    let account = server.account("ops");
    assert_eq!(PUBLISHED.split_whitespace().count(), 33);
    for kind in PUBLISHED.split_whitespace() {
        let body = json!({"name": "x", "type": kind, "destination_ids": ["tem_1", "rtr_1", "usr_1", "skd_1"]});
        assert_eq!(account.created_from(body)["type"], kind);
    }
}

#[test]
fn strict_mode_reports_all_errors_with_unknown_attributes_last() {
    let server = TestServer::with(|settings| settings.strict = true);
    let body = json!({"colour": 1, "name": "", "type": "pigeon", "destination_ids": ["abc_1"], "urgency": "x"});
    server.account("ops").create(body).assert_error(
        400,
        &[
            "'name'",
            "'type'",
            "'urgency'",
            "'destination_ids'",
            "'colour'",
        ],
    );
}

#[test]
fn read_only_attributes_are_not_unknown() {
    let server = TestServer::with(|settings| settings.strict = true);
    let account = server.account("ops");
    let created = account.created("x");
    assert_eq!(
        account
            .update(id(&created), created.clone())
            .assert_status(200)
            .json(),
        created
    );
}
