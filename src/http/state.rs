//! State shared by all handlers: services, current settings, limits and metrics.

use crate::http::{
    drain::Drain, limits::concurrency_limit::ConcurrencyLimit, limits::memory_budget::MemoryBudget,
    metrics::Metrics,
};
use crate::{
    clock::Clock,
    domain::{
        body::Strictness,
        team::Team,
        user_profile::UserProfile,
        web_origin::{AllowedHosts, AllowedOrigins},
    },
    ids::RequestIds,
    service::{
        accounts::Accounts, alerts::Alerts, authentication::Authenticator, control::Control,
        destinations::Destinations, events::Events, integrations::Integrations, logs::Logs,
        metrics::EventMetrics, resources::Resources, throttle::Throttle,
    },
    store::Store,
};
use arc_swap::ArcSwap;
use std::{net::IpAddr, sync::Arc};

/// Settings that a reload replaces while requests are served.
#[derive(Debug)]
pub struct LiveSettings {
    /// Authenticates requests.
    pub authenticator: Arc<Authenticator>,
    /// Rate limit of events for each integration.
    pub events: Arc<Throttle>,
    /// How lenient parsing is, unless a request asks for strictness.
    pub strictness: Strictness,
    /// Maximum size of a body in bytes.
    pub body_bytes: usize,
    /// Maximum size of a mail message in bytes, over HTTP too.
    pub message_bytes: usize,
    /// Seconds within which a body must arrive.
    pub body_seconds: u64,
    /// Maximum length of path and query in bytes.
    pub url_bytes: usize,
    /// Additional host names of this server.
    pub allowed_hosts: AllowedHosts,
    /// Origins whose web pages may call.
    pub allowed_origins: AllowedOrigins,
    /// Whether each request is logged.
    pub log_requests: bool,
}

/// How operators are recognised.
#[derive(Debug)]
pub struct AdminAccess {
    /// The addresses that the server listens on. Peers with these addresses are on this machine.
    pub addresses: Vec<IpAddr>,
    /// SHA-256 of the token.
    pub token_sha256: [u8; 32],
    /// SHA-256 of the setting `test.token`, if it is set.
    pub test_token_sha256: Option<[u8; 32]>,
    /// Whether the control plane for tests exists.
    pub has_control: bool,
    /// The certificate of the authority that signed the server's, in PEM, if this program is that
    /// authority.
    pub ca_certificate: Option<String>,
}

/// The services.
#[derive(Debug)]
pub struct Services {
    /// The service for integrations.
    pub integrations: Integrations,
    /// The service for alerts.
    pub alerts: Alerts,
    /// The service for logs.
    pub logs: Logs,
    /// The service for users.
    pub users: Resources<UserProfile>,
    /// The service for teams.
    pub teams: Resources<Team>,
    /// The service for destinations.
    pub destinations: Destinations,
    /// The service for accounts.
    pub accounts: Accounts,
    /// The service for events.
    pub events: Events,
    /// Counters of events, webhooks and mail.
    pub event_metrics: EventMetrics,
    /// The service behind the control plane for tests.
    pub control: Control,
}

/// The state shared by all handlers.
#[derive(Debug)]
pub struct AppState {
    /// The service for integrations.
    pub integrations: Integrations,
    /// The service for alerts.
    pub alerts: Alerts,
    /// The service for logs.
    pub logs: Logs,
    /// The service for users.
    pub users: Resources<UserProfile>,
    /// The service for teams.
    pub teams: Resources<Team>,
    /// The service for destinations.
    pub destinations: Destinations,
    /// The service for accounts.
    pub accounts: Accounts,
    /// The service for events.
    pub events: Events,
    /// The service behind the control plane for tests.
    pub control: Control,
    /// The store, for health checks and backups.
    pub store: Store,
    /// The current settings.
    pub live: ArcSwap<LiveSettings>,
    /// Authenticates operators.
    pub local: AdminAccess,
    /// The clock.
    pub clock: Clock,
    /// Makes request ids.
    pub request_ids: RequestIds,
    /// The metrics.
    pub metrics: Metrics,
    /// The progress of a shutdown.
    pub drain: Drain,
    /// Limits password hashing.
    pub logins: ConcurrencyLimit,
    /// Limits lists that read all records of an account.
    pub searches: ConcurrencyLimit,
    /// Limits the decoding of compressed bodies.
    pub decoders: ConcurrencyLimit,
    /// Memory for request bodies, until they have been processed.
    pub bodies: MemoryBudget,
    /// Memory for responses, until they have been sent.
    pub answers: MemoryBudget,
}

/// Each needs 19 MiB and 20 ms of a core.
const MAX_CONCURRENT_LOGINS: usize = 2;
/// With a single search, one of a large account would hold up those of all small accounts.
const MIN_CONCURRENT_SEARCHES: usize = 2;
/// Requests that may wait for each one that is running.
const WAITING_PER_RUNNING: usize = 64;
/// A parsed body may take several times as much.
const BODY_BUDGET_MIB: u16 = 128;
const RESPONSE_BUDGET_MIB: u16 = 256;

impl AppState {
    /// The initial state of a server.
    pub fn new(
        desks: Services,
        store: Store,
        live: LiveSettings,
        local: AdminAccess,
        clock: Clock,
        request_ids: RequestIds,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        let limit = |what, max_running: usize| {
            let max_waiting = max_running.saturating_mul(WAITING_PER_RUNNING);
            ConcurrencyLimit::new(what, max_running, max_waiting)
        };

        let Services {
            integrations,
            alerts,
            logs,
            users,
            teams,
            destinations,
            accounts,
            events,
            event_metrics,
            control,
        } = desks;

        Self {
            integrations,
            alerts,
            logs,
            users,
            teams,
            destinations,
            accounts,
            events,
            control,
            metrics: Metrics::new(&event_metrics, store.clone()),
            store,
            live: ArcSwap::from_pointee(live),
            local,
            clock,
            request_ids,
            drain: Drain::default(),
            logins: limit("logins", MAX_CONCURRENT_LOGINS),
            searches: limit("searches", cores.max(MIN_CONCURRENT_SEARCHES)),
            decoders: limit("compressed bodies", cores),
            bodies: MemoryBudget::new("large bodies", BODY_BUDGET_MIB),
            answers: MemoryBudget::new("large answers", RESPONSE_BUDGET_MIB),
        }
    }
}
