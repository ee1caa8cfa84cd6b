//! Webhooks: which addresses they may contact, which options are valid, and who may have them.

use crate::{
    callers::{Caller, id},
    receiver::{alert, logs, sender},
    server::TestServer,
};
use pagertree_local::config::EgressSetting;
use serde_json::{Value, json};
use std::net::TcpListener;

#[test]
fn forbidden_address_is_not_contacted() {
    let server = TestServer::with(|settings| settings.outgoing.reach = EgressSetting::Public);
    let account = server.account("ops");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();

    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    // What a name leads to may change.
    let then = [
        ("127.0.0.1", "no more retries"),
        ("[::ffff:127.0.0.1]", "no more retries"),
        ("localhost", "will be retried"),
    ];
    let then = then.map(|(host, then)| {
        let integration = sender(&account, json!({"url": format!("http://{host}:{port}/")}));
        (integration["id"].clone(), then)
    });

    alert(&account, "x");
    for log in logs(&account, 3) {
        let (_, then) = then.iter().find(|(id, _)| *id == log["source_id"]).unwrap();
        let outcome = log["outcome"].as_str().unwrap();
        assert!(
            outcome.contains("outgoing.reach") && outcome.ends_with(then),
            "{log:#}"
        );
    }

    assert!(listener.accept().is_err());
}

#[test]
fn ineffective_webhook_options_are_refused() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = |options: Value| json!({"name": "out", "type": "outgoingwebhook", "destination_ids": [], "options": options});
    let events = "alert.created, alert.acknowledged, alert.resolved, alert.dropped, alert.rejected";
    let (url, password) = (
        "must be an http or https URL, like 'https://example.com/hook'",
        "requires 'options.username'",
    );

    for (options, message) in [
        (
            json!({"url": "example.com/hook"}),
            format!("'options.url' {url}"),
        ),
        (
            json!({"webhook_url": "file:///etc/passwd"}),
            format!("'options.webhook_url' {url}"),
        ),
        (
            json!({"events": "alert.created"}),
            format!("'options.events' must be an array of some of {events}, but was a string"),
        ),
        (
            json!({"events": ["created"]}),
            format!("'options.events' must have only some of {events}, but had 'created'"),
        ),
        (
            json!({"password": "x"}),
            format!("'options.password' {password}"),
        ),
        (
            json!({"secret": 5}),
            "'options.secret' must be a string, but was a number".into(),
        ),
    ] {
        let integration = sender(&account, json!({"alert_created": true}));
        account
            .create(body(options.clone()))
            .assert_error(400, &[&message]);
        account
            .update(id(&integration), json!({"options": options.clone()}))
            .assert_error(400, &[&message]);

        let mut other = body(options);
        other["type"] = json!("webhook");
        let other = account.created_from(other);

        account
            .update(id(&other), json!({"type": "outgoingwebhook"}))
            .assert_error(400, &[&message]);
        account
            .update(id(&other), json!({"name": "another"}))
            .assert_status(200);
    }
}

#[test]
fn sns_subscription_is_confirmed_if_enabled() {
    // A label of 64 letters is no name in DNS, so that no test asks anything of Amazon.
    let region = "x".repeat(64);
    let place = format!("https://sns.{region}.amazonaws.com/");
    let url = format!("{place}?Action=ConfirmSubscription&Token=t");
    let elsewhere = url.replace("amazonaws.com", "example.com");
    let ask = |account: &Caller, kind: &str, url: &str| {
        let integration = account.created_from(
            json!({"name": "aws", "type": "amazonwebservices", "destination_ids": []}),
        );
        let path = format!("/integration/{}", id(&integration));
        let body = json!({"Type": kind, "TopicArn": "arn:topic", "SubscribeURL": url}).to_string();
        account.send("POST", &path, Some(&body)).assert_status(200);
        let filter = format!("/log?type=incoming&source_id={}", id(&integration));
        account.send("GET", &filter, None).json()["data"][0]["outcome"]
            .as_str()
            .unwrap()
            .to_owned()
    };

    for confirms in [false, true] {
        let server = TestServer::with(|settings| {
            settings.outgoing.confirm_subscriptions = confirms;
            settings.outgoing.attempts = 1;
        });

        let account = server.account("ops");
        assert_eq!(
            ask(&account, "UnsubscribeConfirmation", &url),
            "an UnsubscribeConfirmation"
        );

        let foreign = ask(&account, "SubscriptionConfirmation", &elsewhere);
        assert_eq!(
            foreign,
            "a SubscriptionConfirmation whose SubscribeURL does not lead to SNS"
        );

        let own = ask(&account, "SubscriptionConfirmation", &url);
        if confirms {
            assert_eq!(
                own,
                "a SubscriptionConfirmation; the confirmation is enqueued"
            );

            let [log] = &logs(&account, 1)[..] else {
                panic!("one attempt")
            };

            assert_eq!(
                (&log["action"], &log["alert_id"]),
                (&json!("subscription.confirm"), &Value::Null)
            );
            assert_eq!(
                (&log["request"]["method"], &log["request"]["path"]),
                (&json!("GET"), &json!(place))
            );
            assert_eq!(
                log["request"]["query"],
                "Action=ConfirmSubscription&Token=***"
            );
            assert!(
                log["outcome"]
                    .as_str()
                    .unwrap()
                    .starts_with("failed on attempt 1: "),
                "{log:#}"
            );
        } else {
            let expected = "a SubscriptionConfirmation; not confirmed because outgoing.confirm_subscriptions is false";
            assert_eq!(own, expected);
            assert_eq!(
                account.send("GET", "/log?type=outgoing", None).json()["total_count"],
                0
            );
        }
    }
}

/// Each was told by a copy of the alert within one commit, so that events could fill memory and
/// keep all others waiting.
#[test]
fn excess_senders_of_an_account_are_refused() {
    let server = TestServer::with(|settings| settings.outgoing.senders = 2);
    let account = server.account("ops");
    let body =
        json!({"name": "out", "type": "outgoingwebhook", "destination_ids": [], "options": {}});
    let first = account.created_from(body.clone());

    account.created_from(body.clone());
    let message = "The account already has 2 integrations of type outgoingwebhook, the maximum set by outgoing.senders";
    account.create(body.clone()).assert_error(409, &[message]);

    let other =
        account.created_from(json!({"name": "in", "type": "webhook", "destination_ids": []}));
    let sending = json!({"type": "outgoingwebhook"});

    account
        .update(id(&other), sending.clone())
        .assert_error(409, &[message]);
    account
        .update(id(&first), json!({"name": "still there"}))
        .assert_status(200);
    server.account("others").created_from(body);
    account.delete(id(&first)).assert_status(204);
    account.update(id(&other), sending).assert_status(200);
}
