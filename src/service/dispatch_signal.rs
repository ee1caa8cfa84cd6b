//! Wakes the dispatcher of webhooks.

use std::sync::Arc;
use tokio::sync::Notify;

/// Wakes the dispatcher when there may be something new to send. Clones share one signal.
#[derive(Clone, Debug, Default)]
pub struct DispatchSignal(Arc<Notify>);

impl DispatchSignal {
    /// Wakes the dispatcher.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Waits for the next notification. Returns at once if there was one since the last call.
    pub async fn notified(&self) {
        self.0.notified().await;
    }
}
