//! The server's way out: first no new requests, then nothing more from those that are slow to send.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::watch;

/// How far the way out is gone. Cloning is cheap and gives the same.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    begun: AtomicBool,
    last_call: watch::Sender<bool>,
}

impl Drain {
    /// From now on requests are refused.
    pub fn begin(&self) {
        self.0.begun.store(true, Ordering::SeqCst);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::SeqCst)
    }

    /// Soon nobody can be answered any more: whoever still waits for a client to send something
    /// must answer now.
    pub fn call_last(&self) {
        self.0.last_call.send_replace(true);
    }

    /// Waits for the last call.
    pub(super) async fn last_call(&self) {
        // Who calls lives as long as this does.
        let mut calls = self.0.last_call.subscribe();
        let _called = calls.wait_for(|called| *called).await;
    }
}
