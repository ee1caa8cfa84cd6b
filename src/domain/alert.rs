//! Alerts.
//!
//! Source of the attributes: PagerTree's public v3 OpenAPI description, schema `Alert`.

mod status;

pub use status::{AlertAction, Status};

use super::{
    body::Strictness,
    event::{AdditionalDatum, AlertUrgency, Content},
    ids::{AccountId, AlertId, DestinationId, LogId},
    list::{Attribute, AttributeKind, Schema},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The attributes for filters, sorting and selection, in the order of the object.
pub const SCHEMA: Schema = Schema(&[
    Attribute::new("sid", AttributeKind::Text),
    Attribute::new("id", AttributeKind::Text),
    Attribute::new("createdAt", AttributeKind::Time),
    Attribute::new("updatedAt", AttributeKind::Time),
    Attribute::new("meta", AttributeKind::Object),
    Attribute::new("tinyId", AttributeKind::Number),
    Attribute::thirdparty_id("thirdparty_id"),
    Attribute::new("destination_ids", AttributeKind::TextArray),
    Attribute::new("title", AttributeKind::Text),
    Attribute::new("description", AttributeKind::Text).or_null(),
    Attribute::new("type", AttributeKind::Text),
    Attribute::new("subtype", AttributeKind::Text),
    Attribute::new("status", AttributeKind::Text),
    Attribute::new("urgency", AttributeKind::Text),
    Attribute::new("s_log_id", AttributeKind::Text).or_null(),
    Attribute::new("source_id", AttributeKind::Text).or_null(),
    Attribute::new("tags", AttributeKind::TextArray),
    Attribute::new("additional_data", AttributeKind::ObjectArray),
    Attribute::new("created", AttributeKind::Number),
    Attribute::new("acknowledged", AttributeKind::Number).or_null(),
    Attribute::new("acknowledgedby", AttributeKind::Text).or_null(),
    Attribute::new("resolved", AttributeKind::Number).or_null(),
    Attribute::new("resolvedby", AttributeKind::Text).or_null(),
    Attribute::new("archived", AttributeKind::Number).or_null(),
    Attribute::new("archivedby", AttributeKind::Text).or_null(),
]);

/// An alert, as stored and as returned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// The account. Must be first: the store identifies the owner by the first bytes of a record.
    pub sid: AccountId,
    /// The identifier.
    pub id: AlertId,
    /// Time of creation.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// Time of the last change. Only moves forward.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
    /// Free-form metadata.
    pub meta: Map<String, Value>,
    /// 1, 2, 3 … within the account in order of creation, never reused.
    #[serde(rename = "tinyId")]
    pub tiny_id: u64,
    /// The third party's id.
    pub thirdparty_id: Option<String>,
    /// Destinations.
    pub destination_ids: Vec<DestinationId>,
    /// Summary.
    pub title: String,
    /// Details.
    pub description: Option<String>,
    /// Always `alert`.
    #[serde(rename = "type")]
    pub kind: AlertKind,
    /// What the alert is to its recipients.
    pub subtype: AlertSubtype,
    /// Status.
    pub status: Status,
    /// Urgency.
    pub urgency: AlertUrgency,
    /// The log of the request that created it.
    pub s_log_id: Option<LogId>,
    /// The integration or user that created it.
    pub source_id: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Further fields to display.
    pub additional_data: Vec<AdditionalDatum>,
    /// Time of creation, in Unix seconds.
    pub created: i64,
    /// Time of the last acknowledgement, in Unix seconds.
    pub acknowledged: Option<i64>,
    /// Its author: a user or an integration.
    pub acknowledgedby: Option<String>,
    /// Time of resolution, in Unix seconds.
    pub resolved: Option<i64>,
    /// Its author: a user or an integration.
    pub resolvedby: Option<String>,
    /// Time of archival, in Unix seconds.
    pub archived: Option<i64>,
    /// Its author: a user or an integration.
    pub archivedby: Option<String>,
}

/// The only type of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertKind {
    /// `alert`
    Alert,
}

/// What an alert is to its recipients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertSubtype {
    /// An incident that somebody must acknowledge.
    #[default]
    Alert,
    /// A message to many users and teams.
    Broadcast,
    /// A message to a single user.
    Page,
}

impl AlertSubtype {
    /// Parses the exact name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "alert" => Some(Self::Alert),
            "broadcast" => Some(Self::Broadcast),
            "page" => Some(Self::Page),
            _ => None,
        }
    }

    /// Whether this is the default.
    pub fn is_alert(&self) -> bool {
        *self == Self::Alert
    }
}

/// The origin of an alert, and defaults derived from it.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertOrigin {
    /// What the alert is to its recipients.
    pub subtype: AlertSubtype,
    /// The third party's id.
    pub thirdparty_id: Option<String>,
    /// The integration or user.
    pub source_id: Option<String>,
    /// The log of the request.
    pub s_log_id: Option<LogId>,
    /// Destinations.
    pub destination_ids: Vec<DestinationId>,
    /// Urgency, unless the content has one.
    pub urgency: AlertUrgency,
}

impl Alert {
    /// Creates an open alert.
    pub fn create(
        content: Content,
        origin: AlertOrigin,
        sid: AccountId,
        id: AlertId,
        tiny_id: u64,
        now: Timestamp,
    ) -> Self {
        Self {
            sid,
            id,
            created_at: now,
            updated_at: now,
            meta: content.meta,
            tiny_id,
            thirdparty_id: origin.thirdparty_id,
            destination_ids: origin.destination_ids,
            title: content.title,
            description: content.description,
            kind: AlertKind::Alert,
            subtype: origin.subtype,
            status: Status::Open,
            urgency: content.urgency.unwrap_or(origin.urgency),
            s_log_id: origin.s_log_id,
            source_id: origin.source_id,
            tags: content.tags,
            additional_data: content.additional_data,
            created: now.seconds(),
            acknowledged: None,
            acknowledgedby: None,
            resolved: None,
            resolvedby: None,
            archived: None,
            archivedby: None,
        }
    }

    /// Applies a user's action.
    ///
    /// # Errors
    /// The status does not permit the action. The message says which ones do.
    pub fn apply_action(
        &mut self,
        action: AlertAction,
        by: &str,
        now: Timestamp,
        strictness: Strictness,
    ) -> Result<(), String> {
        let from = action.permitted_from(strictness);
        if !from.contains(&self.status) {
            let from: Vec<_> = from.iter().map(|status| status.as_str()).collect();
            let (done, from, status) = (
                action.past_participle(),
                from.join(" or "),
                self.status.as_str(),
            );
            return Err(format!(
                "Only an alert that is {from} can be {done}, but this one is {status}"
            ));
        }
        self.record(action, by, now);
        Ok(())
    }

    /// Applies an event of the alert's integration. Returns `false` if nothing changes.
    pub fn apply_event(&mut self, action: AlertAction, by: &str, now: Timestamp) -> bool {
        let possible = match action {
            AlertAction::Acknowledge => matches!(self.status, Status::Open | Status::Dropped),
            AlertAction::Resolve => self.status.is_active(),
            AlertAction::Archive | AlertAction::Drop | AlertAction::Reject => false,
        };
        if possible {
            self.record(action, by, now);
        }
        possible
    }

    fn record(&mut self, action: AlertAction, by: &str, now: Timestamp) {
        self.status = action.result();
        self.updated_at = self.updated_at.advanced_to(now);
        let (seconds, by) = (Some(self.updated_at.seconds()), Some(by.to_owned()));
        match action {
            AlertAction::Acknowledge => (self.acknowledged, self.acknowledgedby) = (seconds, by),
            AlertAction::Resolve => (self.resolved, self.resolvedby) = (seconds, by),
            AlertAction::Archive => (self.archived, self.archivedby) = (seconds, by),
            AlertAction::Drop | AlertAction::Reject => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(status: Status) -> Alert {
        let origin = AlertOrigin {
            subtype: AlertSubtype::Alert,
            thirdparty_id: None,
            source_id: None,
            s_log_id: None,
            destination_ids: Vec::new(),
            urgency: AlertUrgency::Low,
        };

        let (sid, id) = (
            AccountId::parse("acc_1").unwrap(),
            AlertId::parse("alt_1").unwrap(),
        );
        let alert = Alert::create(Content::default(), origin, sid, id, 1, Timestamp::EPOCH);

        Alert { status, ..alert }
    }

    const STATUSES: [Status; 5] = [
        Status::Open,
        Status::Acknowledged,
        Status::Resolved,
        Status::Dropped,
        Status::Archived,
    ];

    fn possible(action: AlertAction, strictness: Strictness) -> Vec<&'static str> {
        let now = Timestamp::from_millis(5_000).unwrap();
        let possible = STATUSES.into_iter().filter(|status| {
            let mut alert = alert(*status);
            alert.apply_action(action, "usr_1", now, strictness).is_ok()
        });
        possible.map(Status::as_str).collect()
    }

    #[test]
    fn a_user_can_do_what_the_status_allows() {
        for (action, strictness, expected) in [
            (
                AlertAction::Acknowledge,
                Strictness::Lenient,
                &["open", "dropped"][..],
            ),
            (
                AlertAction::Acknowledge,
                Strictness::Strict,
                &["open", "dropped"],
            ),
            (
                AlertAction::Resolve,
                Strictness::Lenient,
                &["open", "acknowledged"],
            ),
            (AlertAction::Resolve, Strictness::Strict, &["acknowledged"]),
            (
                AlertAction::Archive,
                Strictness::Lenient,
                &["resolved", "dropped"],
            ),
            (AlertAction::Drop, Strictness::Lenient, &["open"]),
            (AlertAction::Reject, Strictness::Lenient, &["open"]),
        ] {
            assert_eq!(
                possible(action, strictness),
                expected,
                "{action:?} {strictness:?}"
            );
        }

        let mut archived = alert(Status::Archived);
        let refused = archived
            .apply_action(
                AlertAction::Resolve,
                "usr_1",
                Timestamp::EPOCH,
                Strictness::Lenient,
            )
            .unwrap_err();

        assert_eq!(
            refused,
            "Only an alert that is acknowledged or open can be resolved, but this one is archived"
        );
        assert_eq!(archived, alert(Status::Archived));
    }

    #[test]
    fn an_integration_ends_whatever_goes_on() {
        let now = Timestamp::from_millis(5_000).unwrap();
        let ended = STATUSES
            .into_iter()
            .filter(|status| alert(*status).apply_event(AlertAction::Resolve, "int_1", now));
        assert_eq!(
            ended.collect::<Vec<_>>(),
            [Status::Open, Status::Acknowledged, Status::Dropped]
        );
    }

    #[test]
    fn who_did_it_and_when_is_kept() {
        let now = Timestamp::from_millis(5_999).unwrap();
        let mut alert = alert(Status::Open);
        for (action, by, now) in [
            (AlertAction::Acknowledge, "usr_1", now),
            (AlertAction::Resolve, "usr_2", now),
            (AlertAction::Archive, "usr_3", Timestamp::EPOCH),
        ] {
            alert
                .apply_action(action, by, now, Strictness::Strict)
                .unwrap();
        }
        assert_eq!(
            (alert.acknowledged, alert.acknowledgedby.as_deref()),
            (Some(5), Some("usr_1"))
        );
        assert_eq!(
            (alert.resolved, alert.resolvedby.as_deref()),
            (Some(6), Some("usr_2"))
        );
        assert_eq!(
            (alert.archived, alert.archivedby.as_deref()),
            (Some(6), Some("usr_3"))
        );
        assert_eq!(
            alert.updated_at.millis(),
            6_001,
            "forward, whatever the clock does"
        );
    }
}
