//! How requests of third parties are acknowledged.

use crate::{
    adapters::{self, ResponseBody},
    domain::{integration::Integration, quota::Quota},
};

/// How a request of a third party is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAck {
    /// Accepted, whatever became of the event.
    Accepted,
    /// The integration is disabled.
    Disabled,
    /// A token or signature is wrong.
    Blocked,
}

impl EventAck {
    pub(super) fn for_disabled(integration: &Integration) -> Self {
        if retries_forever(integration) {
            Self::Accepted
        } else {
            Self::Disabled
        }
    }
}

/// The statuses of responses to events, which their logs show too.
#[derive(Clone, Copy, Debug)]
pub struct EventStatuses {
    /// For [`EventAck::Accepted`].
    pub accepted: u16,
    /// For [`EventAck::Disabled`].
    pub disabled: u16,
    /// For [`EventAck::Blocked`].
    pub blocked: u16,
    /// For [`Rejection::TooMany`](crate::domain::rejection::Rejection::TooMany).
    pub throttled: u16,
}

impl EventStatuses {
    /// The status for an acknowledgement.
    pub fn status(&self, ack: EventAck) -> u16 {
        match ack {
            EventAck::Accepted => self.accepted,
            EventAck::Disabled => self.disabled,
            EventAck::Blocked => self.blocked,
        }
    }
}

/// The reply to a request of a third party.
#[derive(Clone, Debug)]
pub struct EventReply {
    /// Whether it was accepted.
    pub ack: EventAck,
    /// A body, for the few third parties that read one.
    pub body: Option<ResponseBody>,
    /// What is left of the rate limit, if there is one.
    pub quota: Option<Quota>,
}

/// Whether the third party repeats a request until it gets 200, so that refusing it is no use.
pub(super) fn retries_forever(integration: &Integration) -> bool {
    adapters::retries_until_ok(integration.integration_type.as_str())
}
