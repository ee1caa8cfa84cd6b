//! Draining: on shutdown, new requests are refused first, and later also bodies that are slow to
//! arrive.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::watch;

/// The progress of a shutdown. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<DrainState>);

#[derive(Debug, Default)]
struct DrainState {
    has_begun: AtomicBool,
    begun: watch::Sender<bool>,
    last_call: watch::Sender<bool>,
}

impl Drain {
    /// Refuses requests from now on.
    pub fn begin(&self) {
        self.0.has_begun.store(true, Ordering::SeqCst);
        self.0.begun.send_replace(true);
    }

    /// Whether requests are refused.
    pub fn has_begun(&self) -> bool {
        self.0.has_begun.load(Ordering::SeqCst)
    }

    /// Ends the wait for bodies that are still arriving, so that their requests can be answered
    /// before the server stops.
    pub fn call_last(&self) {
        self.0.last_call.send_replace(true);
    }

    /// Waits until requests are refused.
    pub(super) async fn begun(&self) {
        let mut begun = self.0.begun.subscribe();
        // The sender lives as long as `self`.
        let _ignored = begun.wait_for(|begun| *begun).await;
    }

    /// Waits for the last call.
    pub(super) async fn last_call(&self) {
        let mut calls = self.0.last_call.subscribe();
        // The sender lives as long as `self`.
        let _ignored = calls.wait_for(|called| *called).await;
    }
}
