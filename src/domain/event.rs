//! What a third party's request says: an event, before anything came of it.

use super::integration::Urgency;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What an adapter makes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsedEvent {
    /// Something is to happen to an alert.
    Event(Box<Event>),
    /// Nothing is to happen.
    Ignored {
        /// Why, in a sentence for whoever reads the log.
        reason: String,
        /// What the request is about, if it says so.
        thirdparty_id: Option<String>,
        /// A URL that the third party wants to see asked for, if it is one that may be.
        confirm: Option<String>,
    },
    /// A token or a signature that the integration's options ask for is missing or wrong.
    Blocked {
        /// What was expected, without the secret.
        reason: String,
    },
}

/// Something that is to happen to the alert of a third-party id.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What.
    pub action: Action,
    /// The third party's own id of what happens there; `None` asks for one that nobody has.
    pub thirdparty_id: Option<String>,
    /// How such a one is written.
    pub fresh_id: FreshId,
    /// Whether it creates an alert, whatever the action, when there never was one with this id.
    pub first_creates: bool,
    /// What an alert that it creates says.
    pub content: Content,
}

impl Event {
    /// Whether there may be an alert with its content.
    pub fn may_create(&self) -> bool {
        matches!(self.action, Action::Create | Action::Recreate) || self.first_creates
    }
}

/// How an id is written that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreshId {
    /// A UUID.
    Uuid,
    /// Its 32 digits.
    Hex,
    /// A ULID.
    Ulid,
}

/// What is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// An alert is created, unless one with this id is going on.
    Create,
    /// What is going on is resolved, and an alert created.
    Recreate,
    /// What is going on is acknowledged.
    Acknowledge,
    /// What is going on is resolved.
    Resolve,
    /// Nothing, unless it is the first that is heard of this id and that alone creates an alert.
    Other,
}

/// What an alert says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Content {
    /// In one line. Without one there is no alert.
    pub title: String,
    /// At length.
    pub description: Option<String>,
    /// `None` for the integration's own.
    pub urgency: Option<AlertUrgency>,
    /// Words by which alerts are found, each once.
    pub tags: Vec<String>,
    /// More to show, in order.
    pub additional_data: Vec<AdditionalDatum>,
    /// Free-form metadata.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// Whether this is an incident, and how severe a one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<Incident>,
    /// What groups alerts that belong together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dedup_keys: Vec<String>,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// `SEV-1` to `SEV-5`, or `SEV-UNKNOWN`.
    pub severity: String,
    /// What to tell those who are called.
    pub message: Option<String>,
}

/// How urgent an alert is. Integrations know all but silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertUrgency {
    /// Nobody is notified.
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
    /// Reads the name, exactly as it is written.
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

/// Something more to show of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdditionalDatum {
    /// How to show it.
    #[serde(rename = "type")]
    pub kind: DatumKind,
    /// What it is.
    pub label: String,
    /// Itself.
    pub value: Value,
}

/// How something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatumKind {
    /// As it is.
    Text,
    /// As a link to its value.
    Link,
    /// As the picture at its value.
    Img,
    /// As an address, or several.
    Email,
    /// As a telephone number.
    Phone,
    /// As an instant, RFC 3339.
    Datetime,
}
