//! Events parsed from the requests of third parties.

use super::{integration::Urgency, interpretation::Interpretation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The result of parsing a request.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsedEvent {
    /// An event to apply to an alert.
    Event(Box<Event>),
    /// The request changes nothing.
    Ignored {
        /// The reason, for the log.
        reason: String,
        /// The third-party id, if the request has one.
        thirdparty_id: Option<String>,
        /// A URL to request in order to confirm a subscription.
        confirm: Option<String>,
        /// How the integration's options took part.
        interpretation: Interpretation,
    },
    /// The token or signature required by the integration's options is missing or wrong.
    Blocked {
        /// What was expected, without the secret.
        reason: String,
    },
}

/// An event for the alert with a third-party id.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What to do.
    pub action: Action,
    /// The third party's id. `None` asks for a new one.
    pub thirdparty_id: Option<String>,
    /// Format of a new id.
    pub fresh_id: FreshId,
    /// Whether the event creates an alert, whatever its action, if no alert ever had this id.
    pub first_creates: bool,
    /// Ids of the messages in the thread of a mail message: its own, and those that it refers to.
    /// No alert is created while one of a message in the thread is active.
    pub thread: Vec<String>,
    /// How the integration's options took part.
    pub interpretation: Interpretation,
    /// Contents of the alert to create.
    pub content: Content,
}

impl Event {
    /// Whether the event can create an alert.
    pub fn may_create(&self) -> bool {
        matches!(self.action, Action::Create | Action::Recreate) || self.first_creates
    }
}

/// Format of a generated id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreshId {
    /// A UUID.
    Uuid,
    /// The 32 digits of a UUID.
    Hex,
    /// A ULID.
    Ulid,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Creates an alert, unless one with this id is active.
    Create,
    /// Resolves the active alert and creates another.
    Recreate,
    /// Acknowledges the active alert.
    Acknowledge,
    /// Resolves the active alert.
    Resolve,
    /// Nothing, unless the event is the first with its id and `first_creates` is set.
    Other,
}

/// Contents of an alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Content {
    /// Summary. An event without one creates no alert.
    pub title: String,
    /// Details.
    pub description: Option<String>,
    /// `None` for the integration's default.
    pub urgency: Option<AlertUrgency>,
    /// Distinct tags.
    pub tags: Vec<String>,
    /// Further fields to display, in order.
    pub additional_data: Vec<AdditionalDatum>,
    /// Free-form metadata.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// The incident, if the event declares one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
    /// Keys of related alerts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dedup_keys: Vec<String>,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// `SEV-1` to `SEV-5`, or `SEV-UNKNOWN`.
    pub severity: String,
    /// Message to responders.
    pub message: Option<String>,
}

/// Urgency of an alert. Integrations have all of these but `silent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertUrgency {
    /// `silent`: no notifications.
    Silent,
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `critical`
    Critical,
}

impl AlertUrgency {
    /// Parses the exact name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "silent" => Some(Self::Silent),
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }
}

impl From<Urgency> for AlertUrgency {
    fn from(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Low => Self::Low,
            Urgency::Medium => Self::Medium,
            Urgency::High => Self::High,
            Urgency::Critical => Self::Critical,
        }
    }
}

/// A further field of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdditionalDatum {
    /// How to display the value.
    #[serde(rename = "type")]
    pub kind: DatumKind,
    /// Label.
    pub label: String,
    /// Value.
    pub value: Value,
}

impl DatumKind {
    /// Whether version 3 of PagerTree's API has this type.
    pub fn is_published(self) -> bool {
        match self {
            Self::Text | Self::Link | Self::Img | Self::Email | Self::EmailArray => true,
            Self::Phone | Self::Datetime => false,
        }
    }
}

/// How to display a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatumKind {
    /// Plain text.
    Text,
    /// A link.
    Link,
    /// The URL of an image.
    Img,
    /// One or more mail addresses.
    Email,
    /// An array of mail addresses.
    #[serde(rename = "email[]")]
    EmailArray,
    /// A telephone number.
    Phone,
    /// A time in RFC 3339.
    Datetime,
}
