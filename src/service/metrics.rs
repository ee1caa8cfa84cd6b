//! Counters of events, webhooks and mail.

use crate::http_client::{OutboundResponse, SendError};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Counters since the start of the server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct EventMetrics {
    events: Family<ActionLabel, Counter>,
    webhooks: Family<OutcomeLabel, Counter>,
    messages: Family<OutcomeLabel, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ActionLabel {
    action: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl EventMetrics {
    /// Adds the counters to a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "events",
            "Events of third parties that left a log, by action",
            self.events.clone(),
        );
        registry.register(
            "webhooks",
            "Attempts to deliver a webhook, by outcome",
            self.webhooks.clone(),
        );
        registry.register(
            "messages",
            "Mail messages received, by outcome",
            self.messages.clone(),
        );
    }

    /// Counts an event that left a log with this action.
    pub(super) fn count_event(&self, action: &'static str) {
        self.events.get_or_create(&ActionLabel { action }).inc();
    }

    /// Counts an attempt to deliver a webhook.
    pub(super) fn count_webhook(&self, result: &Result<OutboundResponse, SendError>) {
        let outcome = match result {
            Ok(response) if (200..300).contains(&response.status) => "taken",
            Ok(_) => "refused",
            Err(_) => "unanswered",
        };
        self.webhooks.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Counts a mail message.
    pub fn count_message(&self, outcome: &'static str) {
        self.messages.get_or_create(&OutcomeLabel { outcome }).inc();
    }
}
