//! Messages that some of their recipients took while others must wait. The sender is told to send
//! such a message again, whole; then it is for the others alone.
//!
//! Known for as long as the server runs, of the last messages only. A message that everybody could
//! take or refuse is forgotten, so that the same text sent later is another message.

use crate::{domain::ids::IntegrationId, service::passwords::digest};
use std::{cell::RefCell, collections::VecDeque};

/// So many messages are known, with 100 recipients each.
const MOST: usize = 256;

/// What tells one message from another: who sent it, and every byte of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(sender: &str, message: &[u8]) -> Self {
        Self(digest(&[sender.as_bytes(), b"\0", message].concat()))
    }
}

/// Who took which message.
#[derive(Debug, Default)]
pub(super) struct PartialDeliveries(RefCell<VecDeque<(Fingerprint, Vec<IntegrationId>)>>);

impl PartialDeliveries {
    /// Who took this message when it came before. It is forgotten.
    pub(super) fn take(&self, message: Fingerprint) -> Vec<IntegrationId> {
        let mut known = self.0.borrow_mut();
        let found = known.iter().position(|(other, _)| *other == message);
        found
            .and_then(|position| known.remove(position))
            .map(|(_, taken)| taken)
            .unwrap_or_default()
    }

    /// Notes who has taken a message that will come again.
    pub(super) fn remember(&self, message: Fingerprint, taken: Vec<IntegrationId>) {
        let mut known = self.0.borrow_mut();
        if known.len() >= MOST {
            known.pop_front();
        }
        known.push_back((message, taken));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_messages_are_known_once() {
        let again = PartialDeliveries::default();
        let messages: Vec<_> = (0..=MOST)
            .map(|number| Fingerprint::of("a@x", number.to_string().as_bytes()))
            .collect();
        let taken = vec![IntegrationId::parse("int_1").unwrap()];

        for message in &messages {
            again.remember(*message, taken.clone());
        }

        assert!(again.take(messages[0]).is_empty(), "the oldest");
        assert_eq!(again.take(messages[MOST]), taken);
        assert!(again.take(messages[MOST]).is_empty());
        assert_ne!(Fingerprint::of("b@x", b"1"), messages[1]);
    }
}
