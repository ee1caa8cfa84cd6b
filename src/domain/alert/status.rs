//! The status of an alert, and the actions that change it.

use crate::domain::body::Strictness;
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
    /// Parses the exact name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "acknowledged" => Some(Self::Acknowledged),
            "resolved" => Some(Self::Resolved),
            "dropped" => Some(Self::Dropped),
            "archived" => Some(Self::Archived),
            _ => None,
        }
    }

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
    /// Rejects it: the responder does not take it. It stays open for others.
    Reject,
}

impl AlertAction {
    /// The statuses from which a user may do this. Version 3 of PagerTree's API resolves only
    /// acknowledged alerts.
    pub(super) fn permitted_from(self, strictness: Strictness) -> &'static [Status] {
        match (self, strictness) {
            (Self::Acknowledge, _) => &[Status::Open, Status::Dropped],
            (Self::Resolve, Strictness::Strict) => &[Status::Acknowledged],
            (Self::Resolve, Strictness::Lenient) => &[Status::Acknowledged, Status::Open],
            (Self::Archive, _) => &[Status::Resolved, Status::Dropped],
            (Self::Drop | Self::Reject, _) => &[Status::Open],
        }
    }

    /// The resulting status.
    pub(super) fn result(self) -> Status {
        match self {
            Self::Acknowledge => Status::Acknowledged,
            Self::Resolve => Status::Resolved,
            Self::Archive => Status::Archived,
            Self::Drop => Status::Dropped,
            Self::Reject => Status::Open,
        }
    }

    /// The action by which a user gives an alert this status. Nothing reopens an alert, and only
    /// the server drops one.
    pub fn leading_to(status: Status) -> Option<Self> {
        match status {
            Status::Acknowledged => Some(Self::Acknowledge),
            Status::Resolved => Some(Self::Resolve),
            Status::Archived => Some(Self::Archive),
            Status::Open | Status::Dropped => None,
        }
    }

    /// The past participle, for messages.
    pub fn past_participle(self) -> &'static str {
        match self {
            Self::Reject => "rejected",
            other => other.result().as_str(),
        }
    }
}
