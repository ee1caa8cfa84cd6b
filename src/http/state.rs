//! What handlers work with: the services, and the settings as they are now.

use crate::http::{
    admin::backup::AdminAccess, drain::Drain, limits::concurrency_limit::ConcurrencyLimit,
    limits::memory_budget::MemoryBudget, metrics::Metrics,
};
use crate::{
    clock::Clock,
    domain::{
        body::Strictness,
        web_origin::{AllowedHosts, AllowedOrigins},
    },
    ids::RequestIds,
    service::{
        alerts::Alerts, authentication::Authenticator, events::Events, integrations::Integrations,
        logs::Logs, metrics::EventMetrics, throttle::Throttle,
    },
    store::Store,
};
use arc_swap::ArcSwap;
use std::sync::Arc;

/// Settings that a reload replaces while requests are served.
#[derive(Debug)]
pub struct LiveSettings {
    /// Checks credentials.
    pub authenticator: Arc<Authenticator>,
    /// Counts the events of each integration.
    pub events: Arc<Throttle>,
    /// How much is forgiven, unless a request asks for strictness.
    pub strictness: Strictness,
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// Seconds in which a body must arrive.
    pub body_seconds: u64,
    /// Longest path with query in bytes.
    pub url_bytes: usize,
    /// Further names under which this server is reached.
    pub allowed_hosts: AllowedHosts,
    /// Whose pages may call.
    pub allowed_origins: AllowedOrigins,
    /// Whether each request leaves a log line.
    pub log_requests: bool,
}

/// The services.
#[derive(Debug)]
pub struct Services {
    /// The integrations' service.
    pub integrations: Integrations,
    /// The alerts' service.
    pub alerts: Alerts,
    /// The logs' service.
    pub logs: Logs,
    /// What takes events.
    pub events: Events,
    /// Counts what third parties send and are sent.
    pub event_metrics: EventMetrics,
}

/// Everything that handlers share.
#[derive(Debug)]
pub struct AppState {
    /// The integrations' service.
    pub integrations: Integrations,
    /// The alerts' service.
    pub alerts: Alerts,
    /// The logs' service.
    pub logs: Logs,
    /// What takes events.
    pub events: Events,
    /// The store, for health and whoever takes all of it.
    pub store: Store,
    /// The settings of now.
    pub live: ArcSwap<LiveSettings>,
    /// Who may ask for the whole store.
    pub local: AdminAccess,
    /// The clock.
    pub clock: Clock,
    /// Numbers requests.
    pub request_ids: RequestIds,
    /// Counts requests and connections.
    pub metrics: Metrics,
    /// Whether the server is on its way out.
    pub drain: Drain,
    /// For hashing passwords; each takes 19 MiB.
    pub logins: ConcurrencyLimit,
    /// For lists that read all of an account.
    pub searches: ConcurrencyLimit,
    /// For bodies that come compressed.
    pub decoders: ConcurrencyLimit,
    /// For bodies that come, until they are dealt with.
    pub bodies: MemoryBudget,
    /// For answers that nobody has taken yet.
    pub answers: MemoryBudget,
}

/// 19 MiB and 20 ms of a core each.
const LOGINS_AT_ONCE: usize = 2;
/// With one alone, a search of a large account would hold up those of all small ones.
const SEARCHES_AT_LEAST: usize = 2;
/// How many may wait for each that is at work, before more are refused.
const WAITING_FOR_EACH: usize = 64;
/// A body may be parsed into several times as much.
const MEBIBYTES_OF_BODIES: u16 = 128;
const MEBIBYTES_OF_ANSWERS: u16 = 256;

impl AppState {
    /// Nothing counted, nobody waiting.
    pub fn new(
        desks: Services,
        store: Store,
        live: LiveSettings,
        local: AdminAccess,
        clock: Clock,
        request_ids: RequestIds,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        let limit = |what, at_once: usize| {
            ConcurrencyLimit::new(what, at_once, at_once.saturating_mul(WAITING_FOR_EACH))
        };

        let Services {
            integrations,
            alerts,
            logs,
            events,
            event_metrics,
        } = desks;

        Self {
            integrations,
            alerts,
            logs,
            events,
            metrics: Metrics::new(&event_metrics, store.clone()),
            store,
            live: ArcSwap::from_pointee(live),
            local,
            clock,
            request_ids,
            drain: Drain::default(),
            logins: limit("logins", LOGINS_AT_ONCE),
            searches: limit("searches", cores.max(SEARCHES_AT_LEAST)),
            decoders: limit("compressed bodies", cores),
            bodies: MemoryBudget::new("large bodies", MEBIBYTES_OF_BODIES),
            answers: MemoryBudget::new("large answers", MEBIBYTES_OF_ANSWERS),
        }
    }
}
