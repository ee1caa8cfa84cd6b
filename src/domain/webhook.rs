//! Webhooks of integrations of type `outgoingwebhook`: the events sent, the outbox message, and the
//! retry schedule.
//!
//! Sources: PagerTree's guide "Outgoing Webhook" for the body and the options; Standard Webhooks
//! 1.0 for the signature.

use super::{
    ids::{AccountId, AlertId, IntegrationId, LogId},
    integration::Integration,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// The type of integrations that send webhooks.
pub const TYPE: &str = "outgoingwebhook";

/// Event name of a message that confirms a third party's subscription.
pub const CONFIRM: &str = "subscription.confirm";

/// Informational header with the number of webhooks in a chain: a webhook whose event creates an
/// alert in this or another server, which sends a webhook, and so on.
pub const HOPS: &str = "pagertree-local-hops";

/// Header with the same number in signed form, which the server trusts, and with the entries of
/// other servers.
pub const TRAIL: &str = "pagertree-local-trail";

/// Length of a chain at which no further webhooks are sent. Ends loops between integrations.
pub const MAX_HOPS: u32 = 3;

/// A change of an alert that webhooks announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertEvent {
    /// The alert was created.
    Created,
    /// The alert was acknowledged.
    Acknowledged,
    /// The alert was resolved.
    Resolved,
    /// The alert was dropped, since no responder was found.
    Dropped,
    /// A responder rejected the alert.
    Rejected,
}

impl AlertEvent {
    /// All events.
    pub const ALL: [Self; 5] = [
        Self::Created,
        Self::Acknowledged,
        Self::Resolved,
        Self::Dropped,
        Self::Rejected,
    ];

    /// The name sent in the body.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "alert.created",
            Self::Acknowledged => "alert.acknowledged",
            Self::Resolved => "alert.resolved",
            Self::Dropped => "alert.dropped",
            Self::Rejected => "alert.rejected",
        }
    }

    /// Parses a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// The options that enable the event.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Created => &["alert_created", "alert_open"],
            Self::Acknowledged => &["alert_acknowledged"],
            Self::Resolved => &["alert_resolved"],
            Self::Dropped => &["alert_dropped"],
            Self::Rejected => &["alert_rejected"],
        }
    }
}

/// All options that enable events.
const CHOICES: [&str; 8] = [
    "alert_created",
    "alert_open",
    "alert_acknowledged",
    "alert_rejected",
    "alert_timeout",
    "alert_resolved",
    "alert_dropped",
    "alert_handoff",
];

/// Whether the integration subscribes to the event, by `options.events` or by the options
/// `alert_created` and so on. With neither, it subscribes to all.
pub fn is_subscribed(integration: &Integration, event: AlertEvent) -> bool {
    let options = &integration.options;
    if let Some(Value::Array(events)) = options.get("events") {
        let named = |name: &str| {
            name == event.name() || event.options().contains(&name.replace('.', "_").as_str())
        };
        return events.iter().filter_map(Value::as_str).any(named);
    }

    let chosen = |name: &&str| {
        options
            .get(*name)
            .is_some_and(|value| matches!(value.as_str(), Some("true")) || value == true)
    };

    let any_choice = CHOICES.iter().any(|name| options.contains_key(*name));
    !any_choice || event.options().iter().any(chosen)
}

/// Whether PagerTree has an event with this name, even if this program never sends it.
pub fn is_known(name: &str) -> bool {
    let option = name.replace('.', "_");
    CHOICES.contains(&option.as_str())
}

/// An option that is a non-empty string.
pub fn option<'a>(integration: &'a Integration, name: &str) -> Option<&'a str> {
    integration
        .options
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// The target URL.
pub fn url(integration: &Integration) -> Option<&str> {
    option(integration, "url").or_else(|| option(integration, "webhook_url"))
}

/// A message in the outbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxMessage {
    /// The account. First, as in all records.
    pub sid: AccountId,
    /// The integration that sends it.
    pub integration_id: IntegrationId,
    /// The alert, if the message is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_id: Option<AlertId>,
    /// The alert's third-party id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thirdparty_id: Option<String>,
    /// The log of the event that created the alert, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_id: Option<LogId>,
    /// The event's name.
    pub event: String,
    /// Id of the message, the same for each attempt.
    pub message_id: String,
    /// Number of failed attempts.
    pub failed: u32,
    /// Time of the event.
    pub since: Timestamp,
    /// A URL to request with GET in order to confirm a subscription. Without one, `body` is posted
    /// to the integration's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// The body, sent unchanged with each attempt.
    pub body: Box<RawValue>,
}

/// Maximum delay between attempts before jitter: one hour, in milliseconds.
const MAX_RETRY_DELAY_MS: u64 = 3_600_000;

/// Whether an attempt is due. A time further away than any delay means that the clock was set back,
/// so the attempt is due as well.
pub fn is_due(due: Timestamp, now: Timestamp) -> bool {
    let away = due.millis().saturating_sub(now.millis());
    u64::try_from(away).map_or(true, |away| away == 0 || away > MAX_RETRY_DELAY_MS * 2)
}

/// Exponential backoff in milliseconds: `first` seconds, tripled with each failure, up to an hour.
///
/// `jitter`, a random number, shifts it by up to a fifth, so that messages that failed together are
/// not retried together.
pub fn retry_delay(failed: u32, first: u64, jitter: u64) -> u64 {
    let whole = first
        .saturating_mul(1000)
        .saturating_mul(3_u64.saturating_pow(failed.saturating_sub(1)))
        .min(MAX_RETRY_DELAY_MS);
    let fifth = whole / 5;
    whole
        .saturating_sub(fifth)
        .saturating_add(jitter % fifth.saturating_mul(2).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wants(options: &Value) -> Vec<&'static str> {
        let integration = json!({
            "sid": "acc_1", "id": "int_1", "createdAt": "2018-04-27T00:02:50.419Z", "updatedAt": "2018-04-27T00:02:51.000Z",
            "meta": {}, "tinyId": 7, "name": "n", "type": TYPE, "enabled": true, "urgency": "low",
            "destination_ids": [], "options": options,
        });
        let integration: Integration = serde_json::from_value(integration).unwrap();
        AlertEvent::ALL
            .into_iter()
            .filter(|event| is_subscribed(&integration, *event))
            .map(AlertEvent::name)
            .collect()
    }

    #[test]
    fn events_are_chosen_in_either_form() {
        assert_eq!(wants(&json!({})).len(), 5);
        assert_eq!(
            wants(&json!({"events": ["alert.resolved", "alert_dropped"]})),
            ["alert.resolved", "alert.dropped"]
        );
        assert_eq!(wants(&json!({"events": []})), [""; 0]);
        assert_eq!(
            wants(
                &json!({"alert_created": true, "alert_resolved": "true", "alert_dropped": false})
            ),
            ["alert.created", "alert.resolved"]
        );
        assert_eq!(wants(&json!({"alert_handoff": true})), [""; 0]);
    }

    #[test]
    fn what_is_due_has_its_time_or_one_that_cannot_be() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        for (due, expected) in [
            (0, true),
            (1_000, true),
            (1_001, false),
            (4_321_000, false),
            (8_000_000, true),
        ] {
            assert_eq!(is_due(at(due), at(1_000)), expected, "{due}");
        }
    }

    #[test]
    fn pauses_grow_up_to_an_hour_and_are_spread() {
        let whole: Vec<_> = (1..10)
            .map(|failed| retry_delay(failed, 5, 1_000_000_000_000).div_ceil(1000))
            .collect();
        assert!(
            whole.is_sorted() && whole[0] >= 4 && whole[8] <= 4_320,
            "{whole:?}"
        );
        for jitter in [0, 1, 999, u64::MAX] {
            assert!((4_000..=6_000).contains(&retry_delay(1, 5, jitter)));
            assert!((2_880_000..=4_320_000).contains(&retry_delay(u32::MAX, u64::MAX, jitter)));
        }
    }
}
