//! Composition: builds every part of the program from the settings.

use super::{
    App, AppHandle, STORE_FOLDER, ServerInfo, StartError, background::BackgroundTasks,
    cleanup::TempFiles, listeners, live, mail, remove_stale_port_file, rlimit::ConnectionLimits,
    shutdown::ShutdownSignal, tls, workers,
};
use crate::{
    clock::{AdjustableClock, Clock},
    config::{ConfigError, OutgoingSettings, RetentionSettings, Settings},
    domain::{endpoint::Endpoint, passwords},
    http::{self, AcceptQueues, AdminAccess, AppState, Connections, Services},
    http_client::HttpClient,
    ids::{Ids, RequestIds},
    service::{
        alerts::Alerts,
        control::Control,
        events::Events,
        integrations::{Integrations, WebhookRules},
        lists::PageCache,
        logs::Logs,
        metrics::EventMetrics,
        retention::{Retention, RetentionPolicy},
        tokens::Tokens,
        webhooks::{DispatchSignal, OutboxWorker, RetryPolicy},
    },
    store::{self, Durability, Options, Store, TemporaryFolder, archive},
};
use actix_web::web::Data;
use std::{sync::Arc, time::Duration};

/// The sources of time and randomness.
#[derive(Clone, Debug)]
pub struct Edges {
    /// Clock.
    pub clock: Clock,
    /// Source of ids and secrets.
    pub ids: Ids,
    /// Seed of random conflicts between commits, for tests; see
    /// [`Options::contention`](crate::store::Options::contention).
    pub contention: Option<u64>,
}

impl Default for Edges {
    /// The system's clock and random generator.
    fn default() -> Self {
        Self {
            clock: Clock::System,
            ids: Ids::Random,
            contention: None,
        }
    }
}

impl Edges {
    /// Lets the control plane move the clock, which starts as the settings say.
    fn adjustable(self, settings: &Settings) -> Result<Self, ConfigError> {
        let initial = settings.initial_clock()?;
        if initial.is_none() && !settings.test.control {
            return Ok(self);
        }
        let clock = Clock::Adjustable(Arc::new(AdjustableClock::new(self.clock, initial)));
        Ok(Self { clock, ..self })
    }
}

impl App {
    /// Binds the endpoints, opens the store and builds everything else.
    ///
    /// # Errors
    /// Anything that prevents the start.
    pub fn build(settings: &Settings, edges: Edges) -> Result<Self, StartError> {
        let edges = edges.adjustable(settings)?;
        remove_stale_port_file(&settings.port_file)?;
        let (listeners, endpoints): (Vec<_>, Vec<_>) = listeners::bind_all(&settings.endpoints()?)?
            .into_iter()
            .unzip();
        let mail = settings.mail_address()?.map(mail::listen).transpose()?;
        let ephemeral = ephemeral_folder(settings)?;
        let data = ephemeral
            .as_ref()
            .map_or(settings.data.as_path(), TemporaryFolder::path)
            .to_owned();
        let temp_files = Arc::new(TempFiles::new(ephemeral));
        endpoints
            .iter()
            .filter_map(Endpoint::socket)
            .for_each(|socket| temp_files.add(socket.to_owned()));
        let store = Store::open(&data.join(STORE_FOLDER), &store_options(settings, &edges))?;

        for removed in archive::remove_leftovers(&data.join(STORE_FOLDER)) {
            log::warn!(folder:display = removed.display(); "Removed temporary files left by an interrupted command");
        }

        let tokens = Tokens::new(&store.token_secret()?);
        let tls = tls::load(&settings.tls, &data, edges.clock.now())?;
        let live = live::of(settings, &tokens, &edges.clock, None)?;
        let dispatch_signal = DispatchSignal::default();
        let event_metrics = EventMetrics::default();
        let services = services(settings, &store, &edges, &dispatch_signal, &event_metrics);
        let token = edges.ids.secret();
        let addresses = endpoints
            .iter()
            .filter_map(Endpoint::tcp)
            .map(|address| address.ip())
            .collect();
        let admin_access = AdminAccess {
            addresses,
            token_sha256: passwords::digest(token.as_bytes()),
            test_token_sha256: (!settings.test.token.is_empty())
                .then(|| passwords::digest(settings.test.token.as_bytes())),
            has_control: settings.test.control,
            ca_certificate: tls.as_ref().and_then(|tls| tls.ca_certificate.clone()),
        };

        let request_ids = RequestIds::new(&edges.ids);
        let state = AppState::new(
            services,
            store.clone(),
            live,
            admin_access,
            edges.clock.clone(),
            request_ids,
        );
        let state = Data::new(state);
        let workers = workers::count(settings).map_err(StartError::Server)?;
        let connection_limits = ConnectionLimits::from_settings(settings, workers);
        let arrivals = AcceptQueues::default();
        let connections = connections(settings, workers, connection_limits.http);
        let tls = tls.map(|tls| tls.acceptor);
        let server = http::server(
            listeners,
            connections,
            state.clone(),
            &arrivals,
            tls.clone(),
        )
        .map_err(StartError::Server)?;
        let mail = mail
            .map(|listener| {
                mail::server(
                    settings,
                    listener,
                    &state,
                    &event_metrics,
                    connection_limits.mail,
                )
            })
            .transpose()?;
        let handle = AppHandle {
            server: server.handle(),
            state,
            tokens,
            clock: edges.clock.clone(),
            tls: tls.clone(),
            arrivals,
            open_allowed: settings.open_to_network || endpoints.iter().all(Endpoint::is_local),
            temp_files: Arc::clone(&temp_files),
            stopping: ShutdownSignal::default(),
            drain: Duration::from_secs(settings.shutdown.drain_seconds),
        };

        let background = BackgroundTasks {
            store: store.clone(),
            retention: Retention::new(
                store.clone(),
                edges.clock.clone(),
                retention_policy(settings),
            ),
            sweep_interval: Duration::from_secs(settings.retention.sweep_seconds),
            outbox_worker: outbox_worker(settings, &store, &edges, event_metrics),
            dispatch_signal,
            max_concurrent_webhooks: connection_limits.webhooks,
            shutdown: handle.stopping.clone(),
            drain_timeout: handle.drain,
        };

        let server_info = ServerInfo::new(&endpoints, settings.tls.is_enabled(), token);
        let port_file = settings.port_file.clone();
        Ok(Self {
            server,
            endpoints,
            data,
            server_info,
            port_file,
            handle,
            store,
            temp_files,
            background,
            mail,
        })
    }
}

fn ephemeral_folder(settings: &Settings) -> Result<Option<TemporaryFolder>, StartError> {
    if !settings.ephemeral {
        return Ok(None);
    }
    store::sweep_temporary_folders();
    let made = TemporaryFolder::create();
    made.map(Some).map_err(|source| StartError::File {
        path: std::env::temp_dir(),
        source,
    })
}

fn store_options(settings: &Settings, edges: &Edges) -> Options {
    Options {
        cache_bytes: settings.store.cache_bytes,
        index_bytes: settings.store.index_bytes,
        snapshot_bytes: settings.store.snapshot_bytes,
        queue: settings.store.queue,
        batch: settings.store.batch,
        durability: if settings.ephemeral {
            Durability::Ephemeral
        } else {
            Durability::Synced
        },
        token_secret: Some(edges.ids.secret()),
        contention: edges.contention,
    }
}

fn outbox_worker(
    settings: &Settings,
    store: &Store,
    edges: &Edges,
    event_metrics: EventMetrics,
) -> OutboxWorker {
    let OutgoingSettings {
        attempts,
        first_retry_seconds,
        timeout_seconds,
        queue,
        ..
    } = settings.outgoing;
    let client = HttpClient::new(
        settings.egress_policy(),
        Duration::from_secs(timeout_seconds),
    );
    let policy = RetryPolicy {
        max_attempts: attempts,
        first_delay: first_retry_seconds,
        max_queued: queue,
    };

    OutboxWorker::new(
        store.clone(),
        edges.clock.clone(),
        edges.ids.clone(),
        client,
        policy,
        event_metrics,
    )
}

fn retention_policy(settings: &Settings) -> RetentionPolicy {
    let RetentionSettings {
        alerts,
        alert_days,
        logs,
        log_days,
        ..
    } = settings.retention;

    RetentionPolicy {
        alerts,
        alert_days,
        logs,
        log_days,
    }
}

fn services(
    settings: &Settings,
    store: &Store,
    edges: &Edges,
    dispatch_signal: &DispatchSignal,
    event_metrics: &EventMetrics,
) -> Services {
    let pages = PageCache::new(settings.store.list_cache_bytes, http::encode_page);
    let confirms = settings.outgoing.confirm_subscriptions;
    let webhook_rules = WebhookRules {
        egress: settings.egress_policy(),
        max_senders: settings.outgoing.senders,
    };

    let (clock, ids) = (&edges.clock, &edges.ids);
    Services {
        integrations: Integrations::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            webhook_rules,
            pages.clone(),
        ),
        alerts: Alerts::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            dispatch_signal.clone(),
            pages.clone(),
        ),
        logs: Logs::new(store.clone(), pages),
        events: Events::new(
            store.clone(),
            clock.clone(),
            ids.clone(),
            dispatch_signal.clone(),
            event_metrics.clone(),
            http::EVENT_STATUSES,
            confirms,
        ),
        event_metrics: event_metrics.clone(),
        control: Control::new(store.clone(), clock.clone()),
    }
}

fn connections(settings: &Settings, workers: usize, max_connections: usize) -> Connections {
    Connections {
        workers,
        max_connections,
        idle_timeout: Duration::from_secs(settings.limits.idle_seconds),
        head_timeout: Duration::from_secs(settings.limits.head_seconds),
        drain_timeout: Duration::from_secs(settings.shutdown.drain_seconds),
    }
}
