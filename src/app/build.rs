//! Composition: builds every part of the program from the settings.

use super::{
    App, AppHandle, Edges, STORE_FOLDER, ServerInfo, StartError, background::BackgroundTasks,
    cleanup::TempFiles, listeners, live, mail, remove_stale_port_file, rlimit::ConnectionLimits,
    services, shutdown::ShutdownSignal, tls, workers,
};
use crate::{
    config::{Mode, Settings},
    domain::{endpoint::Endpoint, passwords},
    http::{self, AcceptQueues, AdminAccess, AppState, Connections, TlsAcceptor},
    ids::{Ids, RequestIds},
    service::{dispatch_signal::DispatchSignal, metrics::EventMetrics, tokens::Tokens},
    smtp::MailServer,
    store::{self, Durability, Options, Store, TemporaryFolder, archive},
};
use actix_web::{dev::Server, web::Data};
use std::{net::TcpListener, path::PathBuf, sync::Arc, time::Duration};

impl App {
    /// Binds the endpoints, opens the store and builds everything else.
    ///
    /// # Errors
    /// Anything that prevents the start.
    pub fn build(settings: &Settings, edges: Edges) -> Result<Self, StartError> {
        let edges = edges.adjustable(settings)?;
        let bound = BoundSockets::bind(settings)?;
        let endpoints = bound.endpoints.clone();
        let opened = OpenedStore::open(settings, &edges, &endpoints)?;
        let (store, temp_files) = (opened.store, opened.temp_files);

        let tls = tls::load(&settings.tls, &opened.data, edges.clock.now())?;
        let (tls, ca_certificate) = tls.map(|tls| (tls.acceptor, tls.ca_certificate)).unzip();

        let tokens = Tokens::new(&store.token_secret()?, &secret(settings, &edges, 1));
        let dispatch_signal = DispatchSignal::default();
        let event_metrics = EventMetrics::default();
        let token = edges.ids.secret();
        let state = Data::new(AppState::new(
            services::build(
                settings,
                &store,
                &edges,
                &tokens,
                &dispatch_signal,
                &event_metrics,
            ),
            store.clone(),
            live::of(settings, &tokens, &edges.clock, None)?,
            admin_access(settings, &endpoints, &token, ca_certificate.flatten()),
            edges.clock.clone(),
            RequestIds::new(&edges.ids),
        ));

        let servers = Servers::build(settings, bound, &state, tls.clone(), &event_metrics)?;
        let outbox_worker = services::outbox_worker(settings, &store, &edges, event_metrics)
            .with_faults(state.control.faults().clone());
        let handle = AppHandle {
            server: servers.http.handle(),
            state,
            tokens,
            clock: edges.clock.clone(),
            tls,
            arrivals: servers.arrivals,
            open_allowed: settings.open_to_network || endpoints.iter().all(Endpoint::is_local),
            temp_files: Arc::clone(&temp_files),
            stopping: ShutdownSignal::default(),
            drain: Duration::from_secs(settings.shutdown.drain_seconds),
        };
        let background = BackgroundTasks {
            store: store.clone(),
            retention: services::retention(settings, &store, &edges),
            sweep_interval: Duration::from_secs(settings.retention.sweep_seconds),
            outbox_worker,
            dispatch_signal,
            max_concurrent_webhooks: servers.limits.webhooks,
            shutdown: handle.stopping.clone(),
            drain_timeout: handle.drain,
        };

        Ok(Self {
            server: servers.http,
            server_info: ServerInfo::new(&endpoints, settings.tls.is_enabled(), token),
            endpoints,
            data: opened.data,
            port_file: settings.port_file.clone(),
            initial_state: settings.test.state.clone(),
            handle,
            store,
            temp_files,
            background,
            mail: servers.mail,
        })
    }
}

/// Everything that the program listens on.
struct BoundSockets {
    listeners: Vec<http::Listener>,
    endpoints: Vec<Endpoint>,
    mail: Option<TcpListener>,
}

impl BoundSockets {
    fn bind(settings: &Settings) -> Result<Self, StartError> {
        // First of all, so that no start that fails leaves a stale port behind.
        remove_stale_port_file(&settings.port_file)?;
        let bound = listeners::bind_all(&settings.endpoints()?)?;
        let (listeners, endpoints) = bound.into_iter().unzip();
        let mail = settings.mail_address()?.map(mail::listen).transpose()?;
        Ok(Self {
            listeners,
            endpoints,
            mail,
        })
    }
}

/// The store, and what is removed when the program ends.
struct OpenedStore {
    store: Store,
    data: PathBuf,
    temp_files: Arc<TempFiles>,
}

impl OpenedStore {
    fn open(
        settings: &Settings,
        edges: &Edges,
        endpoints: &[Endpoint],
    ) -> Result<Self, StartError> {
        let ephemeral = ephemeral_folder(settings)?;
        let data = ephemeral
            .as_ref()
            .map_or(settings.data.as_path(), TemporaryFolder::path)
            .to_owned();

        // Before the store is opened, so that a failure there removes the sockets too.
        let temp_files = Arc::new(TempFiles::new(ephemeral));
        endpoints
            .iter()
            .filter_map(Endpoint::socket)
            .for_each(|socket| temp_files.add(socket.to_owned()));

        let folder = data.join(STORE_FOLDER);
        let store = Store::open(&folder, &store_options(settings, edges))?;

        // Only now: the open store's lock shows that no command is at work on what is removed.
        for removed in archive::remove_leftovers(&folder) {
            log::warn!(folder:display = removed.display(); "Removed temporary files left by an interrupted command");
        }

        Ok(Self {
            store,
            data,
            temp_files,
        })
    }
}

/// The servers, which share the limit of open files.
struct Servers {
    http: Server,
    mail: Option<MailServer>,
    arrivals: AcceptQueues,
    limits: ConnectionLimits,
}

impl Servers {
    fn build(
        settings: &Settings,
        sockets: BoundSockets,
        state: &Data<AppState>,
        tls: Option<TlsAcceptor>,
        event_metrics: &EventMetrics,
    ) -> Result<Self, StartError> {
        let workers = workers::count(settings).map_err(StartError::Server)?;
        let limits = ConnectionLimits::from_settings(settings, workers);
        let arrivals = AcceptQueues::default();
        let connections = connections(settings, workers, limits.http);
        let http = http::server(
            sockets.listeners,
            connections,
            state.clone(),
            &arrivals,
            tls,
        );
        let mail = sockets
            .mail
            .map(|listener| mail::server(settings, listener, state, event_metrics, limits.mail));

        Ok(Self {
            http: http.map_err(StartError::Server)?,
            mail: mail.transpose()?,
            arrivals,
            limits,
        })
    }
}

/// Who may use the routes for administrators, and on which addresses.
fn admin_access(
    settings: &Settings,
    endpoints: &[Endpoint],
    token: &str,
    ca_certificate: Option<String>,
) -> AdminAccess {
    let addresses = endpoints
        .iter()
        .filter_map(Endpoint::tcp)
        .map(|address| address.ip());
    AdminAccess {
        addresses: addresses.collect(),
        token_sha256: passwords::digest(token.as_bytes()),
        test_token_sha256: (!settings.test.token.is_empty())
            .then(|| passwords::digest(settings.test.token.as_bytes())),
        has_control: settings.test.control,
        ca_certificate,
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
        token_secret: Some(secret(settings, edges, 0)),
        contention: edges.contention,
    }
}

/// A secret of tokens, of several with different numbers. Where any credential is accepted and
/// nothing is kept, it is derived from the seed, so that equal runs give equal tokens.
fn secret(settings: &Settings, edges: &Edges, number: u64) -> String {
    match settings.initial_seed() {
        Ok(Some(seed)) if settings.ephemeral && settings.auth.mode == Mode::Open => {
            Ids::seeded(seed.wrapping_add(number)).secret()
        }
        _ => edges.ids.secret(),
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
