//! The status of an alert, and the actions that change it.

use serde::{Deserialize, Serialize};

/// Status of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waiting for a responder.
    Open,
    /// A responder has taken it.
    Acknowledged,
    /// The alert was resolved.
    Resolved,
    /// The alert was dropped, since no responder was found.
    Dropped,
    /// Hidden.
    Archived,
}

impl Status {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Dropped => "dropped",
            Self::Archived => "archived",
        }
    }

    /// Whether further events with the same third-party id apply to this alert.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged | Self::Dropped)
    }
}

/// A change of an alert's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertAction {
    /// Acknowledges it.
    Acknowledge,
    /// Resolves it.
    Resolve,
    /// Archives it.
    Archive,
    /// Drops it: no responder was found.
    Drop,
}

impl AlertAction {
    /// The statuses from which a user may do this, and the resulting one.
    pub(super) fn transition(self) -> (&'static [Status], Status) {
        match self {
            Self::Acknowledge => (&[Status::Open, Status::Dropped], Status::Acknowledged),
            Self::Resolve => (&[Status::Acknowledged, Status::Open], Status::Resolved),
            Self::Archive => (&[Status::Resolved, Status::Dropped], Status::Archived),
            Self::Drop => (&[Status::Open], Status::Dropped),
        }
    }

    /// The past participle, for messages.
    pub fn past_participle(self) -> &'static str {
        self.transition().1.as_str()
    }
}
