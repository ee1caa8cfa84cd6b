//! What an integration of type `outgoingwebhook` sends: which events, as what, signed how, and when
//! again if it fails; and what else waits in the same queue.
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

/// The type of integrations that send.
pub const TYPE: &str = "outgoingwebhook";

/// The name of what confirms a third party's subscription.
pub const CONFIRM: &str = "subscription.confirm";

/// The header that says to people how many webhooks of this account led to one: the first that was
/// sent, the event that it was to another server of this kind or to the same, the alert that came
/// of it, and so on.
pub const HOPS: &str = "pagertree-local-hops";

/// The header that says the same so that it can be believed, and has what others said so.
pub const TRAIL: &str = "pagertree-local-trail";

/// What so many webhooks in a row led to is told to nobody, so that integrations that lead in a
/// circle come to an end.
pub const MOST_HOPS: u32 = 3;

/// Something that happens to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertEvent {
    /// It was created, and is open.
    Created,
    /// Somebody has taken it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// Nobody could be found to take it.
    Dropped,
}

impl AlertEvent {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Created,
        Self::Acknowledged,
        Self::Resolved,
        Self::Dropped,
    ];

    /// The name as it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "alert.created",
            Self::Acknowledged => "alert.acknowledged",
            Self::Resolved => "alert.resolved",
            Self::Dropped => "alert.dropped",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// The names under which the integration asks for it.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Created => &["alert_created", "alert_open"],
            Self::Acknowledged => &["alert_acknowledged"],
            Self::Resolved => &["alert_resolved"],
            Self::Dropped => &["alert_dropped"],
        }
    }
}

/// Every option by which events are chosen.
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

/// Whether the integration wants to hear of it: as `options.events` lists, or as the options
/// `alert_created` and so on say; all if there is neither.
pub fn is_wanted(integration: &Integration, event: AlertEvent) -> bool {
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

/// Whether an event can be asked for by this name, even if it never happens here.
pub fn is_known(name: &str) -> bool {
    let option = name.replace('.', "_");
    CHOICES.contains(&option.as_str())
}

/// A text among the options.
pub fn option<'a>(integration: &'a Integration, name: &str) -> Option<&'a str> {
    integration
        .options
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Where the integration sends to.
pub fn url(integration: &Integration) -> Option<&str> {
    option(integration, "url").or_else(|| option(integration, "webhook_url"))
}

/// What waits to be sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxMessage {
    /// The account. First on purpose, as in all records.
    pub sid: AccountId,
    /// Who sends.
    pub integration_id: IntegrationId,
    /// What it is about, if it is about an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_id: Option<AlertId>,
    /// What a third party calls the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thirdparty_id: Option<String>,
    /// The log of the event that made the alert, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_id: Option<LogId>,
    /// The event's name.
    pub event: String,
    /// The same for each attempt.
    pub message_id: String,
    /// Attempts that failed.
    pub failed: u32,
    /// When it happened.
    pub since: Timestamp,
    /// A URL that is got, by which a third party's subscription is confirmed; without one, `body`
    /// is posted to the integration's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// The body, exactly as it is sent each time.
    pub body: Box<RawValue>,
}

/// The longest pause, in milliseconds, before it is spread.
const LONGEST: u64 = 3_600_000;

/// Whether a time for an attempt has come. One that is further away than any pause is of a clock
/// that was put back since.
pub fn is_due(due: Timestamp, now: Timestamp) -> bool {
    let away = due.millis().saturating_sub(now.millis());
    u64::try_from(away).map_or(true, |away| away == 0 || away > LONGEST * 2)
}

/// Milliseconds from one attempt to the next, after the first pause in seconds: three times as long
/// each time, an hour at most.
///
/// `spread`, any number, moves it by up to a fifth, so that what failed together is not tried again
/// together.
pub fn pause(failed: u32, first: u64, spread: u64) -> u64 {
    let whole = first
        .saturating_mul(1000)
        .saturating_mul(3_u64.saturating_pow(failed.saturating_sub(1)))
        .min(LONGEST);
    let fifth = whole / 5;
    whole
        .saturating_sub(fifth)
        .saturating_add(spread % fifth.saturating_mul(2).max(1))
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
            .filter(|event| is_wanted(&integration, *event))
            .map(AlertEvent::name)
            .collect()
    }

    #[test]
    fn events_are_chosen_in_either_form() {
        assert_eq!(wants(&json!({})).len(), 4);
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
            .map(|failed| pause(failed, 5, 1_000_000_000_000).div_ceil(1000))
            .collect();
        assert!(
            whole.is_sorted() && whole[0] >= 4 && whole[8] <= 4_320,
            "{whole:?}"
        );
        for spread in [0, 1, 999, u64::MAX] {
            assert!((4_000..=6_000).contains(&pause(1, 5, spread)));
            assert!((2_880_000..=4_320_000).contains(&pause(u32::MAX, u64::MAX, spread)));
        }
    }
}
