//! `RateLimit` and `RateLimit-Policy`: what is left of the limits that are set.

use crate::{
    callers::id,
    response::Response,
    server::TestServer,
    users::{self, PASSWORD},
};
use serde_json::json;

fn headers(answer: &Response) -> (Option<&str>, Option<&str>) {
    (
        answer.header("ratelimit-policy"),
        answer.header("ratelimit"),
    )
}

#[test]
fn responses_report_the_remaining_requests() {
    let server = TestServer::with(|settings| settings.limits.requests_per_minute = 3);
    let account = server.account("ops");
    let policy = Some("\"requests\";q=3;w=60");

    assert_eq!(
        headers(&account.list("")),
        (policy, Some("\"requests\";r=2;t=20"))
    );
    assert_eq!(
        headers(&account.list("limit=0").assert_status(400)),
        (policy, Some("\"requests\";r=1;t=40"))
    );
    assert_eq!(
        headers(&account.get("int_doesnotexist1").assert_status(404)),
        (policy, Some("\"requests\";r=0;t=60"))
    );
    let refused = account.list("").assert_status(429);
    let seconds = refused.header("retry-after").unwrap();
    assert_eq!(
        headers(&refused),
        (
            policy,
            Some(format!("\"requests\";r=0;t={seconds}").as_str())
        )
    );
    assert_eq!(
        headers(&server.account("another").list("")).1,
        Some("\"requests\";r=2;t=20")
    );
    assert_eq!(
        headers(&server.anonymous().send("GET", "/livez", None)),
        (None, None)
    );
    assert_eq!(
        headers(&server.anonymous().list("").assert_status(401)),
        (None, None)
    );
}

#[test]
fn event_responses_report_the_remaining_events() {
    let server = TestServer::with(|settings| settings.limits.events_per_minute = 1);
    let account = server.account("ops");
    for (kind, second) in [("webhook", 429), ("elastalert", 200)] {
        let created =
            account.created_from(json!({"name": "n", "type": kind, "destination_ids": []}));
        let path = format!("/integration/{}", id(&created));
        let policy = Some("\"events\";q=1;w=60");
        let first = server
            .anonymous()
            .send("POST", &path, Some("{}"))
            .assert_status(200);
        assert_eq!(headers(&first), (policy, Some("\"events\";r=0;t=60")));
        let second = server
            .anonymous()
            .send("POST", &path, Some("{}"))
            .assert_status(second);
        assert_eq!(headers(&second).0, policy);
        assert!(
            headers(&second).1.unwrap().starts_with("\"events\";r=0;t="),
            "{second:?}"
        );
    }
}

#[test]
fn login_responses_report_the_remaining_logins() {
    let server = TestServer::with(|settings| {
        users::declared(settings);
        settings.limits.logins_per_minute = 2;
    });

    let policy = Some("\"logins\";q=2;w=60");
    assert_eq!(
        headers(&server.log_in("alice", PASSWORD).assert_status(200)),
        (policy, Some("\"logins\";r=1;t=30"))
    );
    server.log_in("alice", "wrong").assert_status(401);
    assert_eq!(
        headers(&server.log_in("alice", PASSWORD).assert_status(429)).0,
        policy
    );
}

#[test]
fn unlimited_requests_have_no_rate_limit_headers() {
    let server = TestServer::start();
    assert_eq!(headers(&server.account("ops").list("")), (None, None));
}
