//! What third parties sent and were sent since the start, counted for whoever watches the server.

use crate::courier::{Answer, Failure};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// The counts. Cloning is cheap, and all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    events: Family<Action, Counter>,
    webhooks: Family<Outcome, Counter>,
    messages: Family<Outcome, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Action {
    action: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Tally {
    /// Lets the counts be told.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "events",
            "Events of third parties that left a log, by what they were taken for",
            self.events.clone(),
        );
        registry.register(
            "webhooks",
            "Attempts to send a webhook",
            self.webhooks.clone(),
        );
        registry.register(
            "messages",
            "Messages by mail, by what became of them",
            self.messages.clone(),
        );
    }

    /// An event that left a log with this action.
    pub(super) fn event(&self, action: &'static str) {
        self.events.get_or_create(&Action { action }).inc();
    }

    /// An attempt to send something.
    pub(super) fn webhook(&self, answer: &Result<Answer, Failure>) {
        let outcome = match answer {
            Ok(answer) if (200..300).contains(&answer.status) => "taken",
            Ok(_) => "refused",
            Err(_) => "unanswered",
        };
        self.webhooks.get_or_create(&Outcome { outcome }).inc();
    }

    /// A message that came by mail, and what its sender was told.
    pub fn message(&self, outcome: &'static str) {
        self.messages.get_or_create(&Outcome { outcome }).inc();
    }
}
