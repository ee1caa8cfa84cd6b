//! Integrations, which connect PagerTree to third-party applications.
//!
//! Source of every attribute and of their order: the reference document, "Integration Object".

use super::{
    ids::{AccountId, DestinationId, IntegrationId},
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
    Attribute::new("name", AttributeKind::Text),
    Attribute::new("type", AttributeKind::Text),
    Attribute::new("enabled", AttributeKind::Boolean),
    Attribute::new("urgency", AttributeKind::Text),
    Attribute::new("destination_ids", AttributeKind::TextArray),
    Attribute::new("options", AttributeKind::Object),
]);

/// An integration, as stored and as returned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// The account. Must be first: the store identifies the owner by the first bytes of a record.
    pub sid: AccountId,
    /// The identifier.
    pub id: IntegrationId,
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
    /// The friendly name.
    pub name: Name,
    /// The third-party application.
    #[serde(rename = "type")]
    pub integration_type: IntegrationType,
    /// Whether events are accepted.
    pub enabled: bool,
    /// Default urgency of its alerts.
    pub urgency: Urgency,
    /// Destinations of its alerts.
    pub destination_ids: Vec<DestinationId>,
    /// Options of this type of integration.
    pub options: Map<String, Value>,
}

/// Puts the value in the place of what is there, if there is one. Whether that changes anything.
pub(super) fn replace<T: PartialEq>(attribute: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) if value != *attribute => {
            *attribute = value;
            true
        }
        _ => false,
    }
}

/// A friendly name: 1 to 255 characters, none of them white space at either end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Box<str>);

impl Name {
    /// Trims and checks.
    ///
    /// # Errors
    /// What would be right, to be read after the attribute's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        match trimmed.chars().count() {
            1..=255 => Ok(Self(trimmed.into())),
            0 => Err("must have 1 to 255 characters, but was empty".into()),
            n => Err(format!("must have 1 to 255 characters, but had {n}")),
        }
    }
}

impl TryFrom<String> for Name {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0.into()
    }
}

/// The third-party application, 1 to 64 of `a-z0-9_`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IntegrationType(Box<str>);

impl IntegrationType {
    /// The types of PagerTree's published v3 description.
    pub const PUBLISHED: [&str; 33] = [
        "amazonwebservices",
        "apexping",
        "appdynamics",
        "cronitorio",
        "datadog",
        "deadmanssnitch",
        "elastalert",
        "email",
        "freshdesk",
        "freshservice",
        "grafana",
        "healthchecksio",
        "hyperping",
        "jiraserver",
        "jotform",
        "kapacitor",
        "newrelic",
        "outgoingwebhook",
        "pingdom",
        "prometheus",
        "prtg",
        "serverguard24",
        "site24x7",
        "slackoutgoingwebhook",
        "solarwinds",
        "stackdriver",
        "statuscake",
        "twilio_livecallrouting",
        "typeform",
        "uptime",
        "uptimerobot",
        "webhook",
        "zendesk",
    ];

    /// Checks the form, not the list.
    ///
    /// # Errors
    /// What would be right, to be read after the attribute's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let well_formed = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');

        if well_formed {
            Ok(Self(text.into()))
        } else {
            Err(format!(
                "must be 1 to 64 of a-z 0-9 _, but was '{}'",
                super::body::excerpt(text)
            ))
        }
    }

    /// Whether it is in the published list.
    pub fn is_published(&self) -> bool {
        Self::PUBLISHED.contains(&&*self.0)
    }

    /// The type as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IntegrationType {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<IntegrationType> for String {
    fn from(integration_type: IntegrationType) -> String {
        integration_type.0.into()
    }
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `critical`
    Critical,
}

impl Urgency {
    /// Reads the name.
    ///
    /// # Errors
    /// What would be right, to be read after the attribute's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "low" => Ok(Self::Low),
            "medium" => Ok(Self::Medium),
            "high" => Ok(Self::High),
            "critical" => Ok(Self::Critical),
            other => Err(format!(
                "must be low, medium, high or critical, but was '{}'",
                super::body::excerpt(other)
            )),
        }
    }
}
