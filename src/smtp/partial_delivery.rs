//! Remembers messages that were delivered to only some of their recipients. The client must send such
//! a message again, and then it is delivered to the others only.
//!
//! Only recent messages are remembered, in memory. A message whose recipients have all been decided
//! is forgotten, so that the same text sent later is a new message.

use crate::{domain::ids::IntegrationId, domain::passwords::digest};
use std::{cell::RefCell, collections::VecDeque};

/// Messages that are remembered, with up to 100 recipients each.
const MAX_MESSAGES: usize = 256;

/// Identifies a message: a digest of its sender and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(sender: &str, message: &[u8]) -> Self {
        Self(digest(&[sender.as_bytes(), b"\0", message].concat()))
    }
}

/// The recipients that have accepted each message.
#[derive(Debug, Default)]
pub(super) struct PartialDeliveries(RefCell<VecDeque<(Fingerprint, Vec<IntegrationId>)>>);

impl PartialDeliveries {
    /// Removes and returns the recipients that have accepted a message.
    pub(super) fn take(&self, message: Fingerprint) -> Vec<IntegrationId> {
        let mut known = self.0.borrow_mut();
        let found = known.iter().position(|(other, _)| *other == message);
        found
            .and_then(|position| known.remove(position))
            .map(|(_, accepted)| accepted)
            .unwrap_or_default()
    }

    /// Stores the recipients that have accepted a message.
    pub(super) fn remember(&self, message: Fingerprint, accepted: Vec<IntegrationId>) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MAX_MESSAGES {
            known.pop_front();
        }
        known.push_back((message, accepted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_messages_are_remembered_once() {
        let deliveries = PartialDeliveries::default();
        let messages: Vec<_> = (0..=MAX_MESSAGES)
            .map(|number| Fingerprint::of("a@x", number.to_string().as_bytes()))
            .collect();
        let accepted = vec![IntegrationId::parse("int_1").unwrap()];

        for message in &messages {
            deliveries.remember(*message, accepted.clone());
        }

        assert!(deliveries.take(messages[0]).is_empty(), "the oldest");
        assert_eq!(deliveries.take(messages[MAX_MESSAGES]), accepted);
        assert!(deliveries.take(messages[MAX_MESSAGES]).is_empty());
        assert_ne!(Fingerprint::of("b@x", b"1"), messages[1]);
    }
}
