//! What handlers work with: the services, and the settings as they are now.

use super::{local::Local, metrics::Metrics, turns::Turns};
use crate::{
    clock::Clock,
    domain::body::Strictness,
    ids::RequestIds,
    service::{access::Gate, integrations::Integrations},
    store::Store,
};
use arc_swap::ArcSwap;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Settings that a reload replaces while requests are served.
#[derive(Debug)]
pub struct Live {
    /// Checks credentials.
    pub gate: Arc<Gate>,
    /// How much is forgiven, unless a request asks for strictness.
    pub strictness: Strictness,
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// Seconds in which a body must arrive.
    pub body_seconds: u64,
    /// Longest path with query in bytes.
    pub url_bytes: usize,
    /// Whether each request leaves a log line.
    pub log_requests: bool,
}

/// Everything that handlers share.
#[derive(Debug)]
pub struct State {
    /// The integrations' service.
    pub integrations: Integrations,
    /// The store, for health, metrics, and whoever takes all of it.
    pub store: Store,
    /// The settings of now.
    pub live: ArcSwap<Live>,
    /// Who may ask for the whole store.
    pub local: Local,
    /// The clock.
    pub clock: Clock,
    /// Numbers requests.
    pub request_ids: RequestIds,
    /// Counts requests.
    pub metrics: Metrics,
    /// Whether the server is on its way out.
    pub draining: AtomicBool,
    /// For hashing passwords; each takes 19 MiB.
    pub logins: Turns,
    /// For lists that read all of an account.
    pub searches: Turns,
}

impl State {
    /// Whether the server is on its way out.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}
