//! Matches against one recorded request.

use super::*;
use serde_json::json;

const RECORD: &str = r#"{"id":"req_1","kind":"api","type":"email","method":"PUT",
    "path":"/integration/int_1","query":{"limit":"10","a":["1","2"]},
    "headers":{"x-strict":"true","content-type":"application/json"},
    "body":{"json":{"enabled":true,"name":"disk","meta":{"env":"prod","n":5},"list":[1,2]},"bytes":9},
    "status":200,"response":{"headers":{},"body":{"json":{"id":"int_1"},"bytes":2}}}"#;

fn report(attributes: Value) -> MatchReport {
    let Value::Object(attributes) = attributes else {
        panic!("a match is an object")
    };
    RequestMatch::parse("match", &attributes, MatchScope::Exchange)
        .unwrap()
        .report(&RawObject::parse(RECORD.as_bytes()).unwrap())
}

fn errors(attributes: Value, scope: MatchScope) -> Vec<String> {
    RequestMatch::parse("match", attributes.as_object().unwrap(), scope).unwrap_err()
}

#[test]
fn all_given_attributes_must_match() {
    for matching in [
        json!({}),
        json!({"method": "put", "path": "/integration/*", "status": 200, "type": "email"}),
        json!({"query": {"limit": 10, "a": "2"}, "headers": {"X-Strict": true}}),
        json!({"body": {"enabled": true, "meta": {"n": 5.0}, "list": [1, 2], "absent": null}}),
        json!({"body.meta.env": "prod", "response.body.id": "int_1"}),
        json!({"body": {"name": "is"}, "ops": "body.name:contains"}),
        json!({"status": 300, "ops": "status:lt"}),
        json!({"body": {}, "query": {}, "response": {"body": {}}}),
        json!({"body": {"meta": {}}}),
    ] {
        assert!(report(matching.clone()).is_match(), "{matching}");
    }

    for other in [
        json!({"method": "POST"}),
        json!({"path": "/integration"}),
        json!({"body": {"enabled": "true"}}),
        json!({"body": {"list": [1]}}),
        json!({"headers": {"x-strict": null}}),
        json!({"body": "text"}),
        json!({"body": {"name": {}}}),
        json!({"kind": "webhook"}),
    ] {
        assert!(!report(other.clone()).is_match(), "{other}");
    }
}

#[test]
fn report_says_what_matched_and_what_did_not() {
    let report = report(json!({
        "method": "PUT",
        "path": "/integration/int_1",
        "body": {"enabled": false, "colour": "red"},
    }));
    assert_eq!(
        report.sentence("PUT /integration/int_1"),
        "PUT /integration/int_1 matched method and path; body.enabled was true, wanted false; \
         body.colour was missing, wanted \"red\""
    );
}

#[test]
fn candidate_with_more_in_common_is_nearer() {
    let one = report(json!({"method": "PUT", "path": "/alert"}));
    let two = report(json!({"method": "PUT", "path": "/integration/int_2"}));
    let three = report(json!({"method": "PUT", "path": "/integration/int_1", "status": 404}));
    assert!(one.likeness() < two.likeness() && two.likeness() < three.likeness());
}

#[test]
fn malformed_match_is_refused_with_every_error() {
    let found = errors(
        json!({"metod": "PUT", "path": "/a?b", "kind": "mail", "status": "x", "query": {"a": [1]}, "ops": "body.x:contains,y"}),
        MatchScope::Exchange,
    );
    for part in [
        "'match.ops' names 'body.x', which must be given as a condition too",
        "'match.ops' must be pairs like body.name:contains, comma separated, but has 'y'",
        "'match': 'metod' is not an attribute",
        "'match': 'path' must not contain a query",
        "'match': 'kind' must be one of api, event, webhook, but was 'mail'",
        "'match': 'status' must be a number",
        "'match': 'query.a' must be a text",
    ] {
        assert!(
            found.iter().any(|error| error.contains(part)),
            "{part} is not in {found:#?}"
        );
    }
    assert_eq!(found.len(), 7);
}

#[test]
fn response_is_unknown_to_a_match_on_requests() {
    let found = errors(json!({"status": 200}), MatchScope::Request);
    assert!(found[0].contains("not known before"), "{found:?}");
}

#[test]
fn only_a_match_that_says_so_is_for_webhooks() {
    let is_for_webhooks = |attributes: Value| {
        RequestMatch::parse(
            "match",
            attributes.as_object().unwrap(),
            MatchScope::Request,
        )
        .unwrap()
        .is_for_webhooks()
    };
    assert!(is_for_webhooks(json!({"kind": "webhook", "path": "**"})));
    assert!(!is_for_webhooks(json!({"kind": "event"})));
    assert!(!is_for_webhooks(json!({"method": "POST"})));
}
