//! Validates the options of an `outgoingwebhook`, so that none is silently ignored.
//!
//! PagerTree's other spellings of options stay valid, as do options that nothing reads.

use super::{
    body::{excerpt, kind_of},
    webhook::{self, AlertEvent},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

/// Returns an error message for an invalid value.
type OptionRule<'a> = &'a dyn Fn(&Value) -> Option<String>;

/// Returns a message for each invalid option. `url_error` validates URLs.
pub fn validate(
    options: &Map<String, Value>,
    refusal: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let rules: [(&str, OptionRule<'_>); 6] = [
        ("url", &|value| text(value, &refusal)),
        ("webhook_url", &|value| text(value, &refusal)),
        ("events", &events),
        ("username", &|value| text(value, |_| None)),
        ("password", &|value| {
            text(value, |_| without_username(options))
        }),
        ("secret", &|value| text(value, secret)),
    ];
    let given = rules.into_iter().filter_map(|(name, rule)| {
        let value = options.get(name).filter(|value| !value.is_null())?;
        rule(value).map(|fault| format!("'options.{name}' {fault}"))
    });

    given.collect()
}

fn text(value: &Value, rule: impl Fn(&str) -> Option<String>) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => rule(text),
        other => Some(format!("must be a string, but was {}", kind_of(other))),
    }
}

fn events(value: &Value) -> Option<String> {
    let known = AlertEvent::ALL.map(AlertEvent::name).join(", ");
    let Value::Array(events) = value else {
        return Some(format!(
            "must be an array of some of {known}, but was {}",
            kind_of(value)
        ));
    };

    let wrong = events
        .iter()
        .find(|event| !event.as_str().is_some_and(webhook::is_known))?;
    let shown = wrong.as_str().map_or_else(
        || kind_of(wrong).to_owned(),
        |name| format!("'{}'", excerpt(name)),
    );

    Some(format!("must have only some of {known}, but had {shown}"))
}

fn without_username(options: &Map<String, Value>) -> Option<String> {
    let username = options
        .get("username")
        .and_then(Value::as_str)
        .unwrap_or_default();
    username
        .is_empty()
        .then(|| "requires 'options.username'".into())
}

fn secret(secret: &str) -> Option<String> {
    let encoded = secret.strip_prefix("whsec_")?;
    let key = BASE64_STANDARD
        .decode(encoded)
        .ok()
        .filter(|key| !key.is_empty());
    key.is_none()
        .then(|| "must be padded base64 after 'whsec_', or have another prefix".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(options: &Value) -> Vec<String> {
        validate(options.as_object().unwrap(), |url| {
            (!url.starts_with("http")).then(|| "must be better".into())
        })
    }

    #[test]
    fn what_is_used_is_right() {
        for options in [
            json!({}),
            json!({"url": null, "webhook_url": "", "events": [], "secret": null, "unknown": 5, "alert_created": "maybe"}),
            json!({"url": "http://x/", "events": ["alert.created", "alert_dropped", "alert_handoff"], "secret": "plain"}),
            json!({"username": "me", "password": "", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
            json!({"username": "me", "password": "pass"}),
        ] {
            assert_eq!(found(&options), [""; 0], "{options}");
        }
    }

    #[test]
    fn what_would_be_ignored_is_named() {
        let all = found(&json!({
            "url": 5, "webhook_url": "ftp://x/", "events": "alert.created", "username": [], "password": "x",
            "secret": "whsec_?",
        }));
        let expected = [
            "'options.url' must be a string, but was a number",
            "'options.webhook_url' must be better",
            "'options.events' must be an array of some of alert.created, alert.acknowledged, alert.resolved, alert.dropped, alert.rejected, \
             but was a string",
            "'options.username' must be a string, but was an array",
            "'options.password' requires 'options.username'",
            "'options.secret' must be padded base64 after 'whsec_', or have another prefix",
        ];
        assert_eq!(all, expected);

        for (event, shown) in [
            (json!("alert.creatd"), "'alert.creatd'"),
            (json!(1), "a number"),
        ] {
            let fault = found(&json!({"events": ["alert.created", event]}));
            assert!(fault[0].ends_with(&format!("but had {shown}")), "{fault:?}");
        }
    }
}
