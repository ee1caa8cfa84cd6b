//! The signal that tells background tasks and the mail server to stop.

use std::sync::Arc;
use tokio::sync::watch;

/// Tells tasks that the server is stopping. Clones share one signal.
#[derive(Clone, Default)]
pub(super) struct ShutdownSignal(Arc<watch::Sender<bool>>);

impl ShutdownSignal {
    pub(super) fn trigger(&self) {
        self.0.send_replace(true);
    }

    /// A receiver whose value is `true` once shutdown has begun.
    pub(super) fn subscribe(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}
