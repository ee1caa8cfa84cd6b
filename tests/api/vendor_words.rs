//! Words of vendors that PagerTree's adapters do not know: read kindly, and to the letter in strict
//! mode.

use crate::{callers::id, server::TestServer};
use serde_json::{Value, json};

/// A type, a payload, and the action that it stands for.
fn cases() -> Vec<(&'static str, Value, &'static str)> {
    let prtg = |status| json!({"sensorid": "1", "status": status});
    let site24x7 = |status| json!({"MONITOR_ID": "1", "STATUS": status});
    let grafana = |state| json!({"ruleId": 1, "ruleName": "r", "state": state});
    let cronitor = |kind| json!({"id": "1", "monitor": "m", "type": kind});
    vec![
        ("prtg", prtg("Down (Partial)"), "create"),
        ("prtg", prtg("Down (Acknowledged)"), "acknowledge"),
        ("prtg", prtg("Up"), "resolve"),
        ("site24x7", site24x7("Down"), "create"),
        ("site24x7", site24x7("Trouble"), "create"),
        ("site24x7", site24x7("up"), "resolve"),
        ("grafana", grafana("Alerting"), "create"),
        ("grafana", grafana("OK"), "resolve"),
        ("cronitorio", cronitor("alert"), "create"),
        ("cronitorio", cronitor("recovery"), "resolve"),
        (
            "uptimerobot",
            json!({"monitorID": "1", "alertTypeFriendlyName": "Domain expiry"}),
            "create",
        ),
    ]
}

#[test]
fn words_are_read_kindly_and_to_the_letter_in_strict_mode() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (kind, body, expected) in cases() {
        let draft = json!({"name": "n", "type": kind, "destination_ids": []});
        let path = format!(
            "/_local/integration/{}/try",
            id(&account.created_from(draft))
        );
        for (headers, expected) in [
            (json!({}), expected),
            (json!({"X-Strict": "true"}), "other"),
        ] {
            let input = json!({"request": {"headers": headers, "body": body}}).to_string();
            let report = account
                .send("POST", &path, Some(&input))
                .assert_status(200)
                .json();
            assert_eq!(
                report["events"][0]["action"], expected,
                "{kind} {body}: {report}"
            );
        }
    }
}
