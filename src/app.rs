//! The whole program as one value: built from settings, bound to a port, told to stop.
//!
//! Everything is put together here by hand and passed down as plain values; there are no globals.

mod background;
mod cleanup;
mod listeners;
mod live;
mod mail;
mod port_file;
mod rlimit;
mod server_info;
mod shutdown;
mod start_error;
mod workers;

pub use port_file::remove_stale_port_file;
pub use server_info::ServerInfo;
pub use start_error::StartError;

use crate::{
    clock::Clock,
    config::{ConfigError, Mode, OutgoingSettings, RetentionSettings, Settings},
    domain::{endpoint::Endpoint, passwords},
    http::{self, AcceptQueues, AdminAccess, AppState, Connections, Services},
    http_client::HttpClient,
    ids::{Ids, RequestIds},
    service::{
        alerts::Alerts,
        events::Events,
        integrations::{Integrations, WebhookRules},
        lists::PageCache,
        logs::Logs,
        metrics::EventMetrics,
        retention::{Retention, RetentionPolicy},
        tokens::Tokens,
        webhooks::{DispatchSignal, OutboxWorker, RetryPolicy},
    },
    smtp::MailServer,
    store::{self, Durability, Options, Store, TemporaryFolder, archive},
};
use actix_web::{
    dev::{Server, ServerHandle},
    web::Data,
};
use background::BackgroundTasks;
use cleanup::TempFiles;
use rlimit::ConnectionLimits;
use shutdown::ShutdownSignal;
use std::{
    future::poll_fn, io, net::SocketAddr, path::PathBuf, pin::Pin, sync::Arc, task::Poll,
    time::Duration,
};

/// Where time and randomness come from.
#[derive(Clone, Debug)]
pub struct Edges {
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: Ids,
    /// Seed of random conflicts between commits, for tests; see
    /// [`Options::contention`](crate::store::Options::contention).
    pub contention: Option<u64>,
}

impl Default for Edges {
    /// The machine's own.
    fn default() -> Self {
        Self {
            clock: Clock::System,
            ids: Ids::Random,
            contention: None,
        }
    }
}

/// A server that is bound and about to serve.
pub struct App {
    server: Server,
    endpoints: Vec<Endpoint>,
    data: PathBuf,
    running: Option<ServerInfo>,
    port_file: PathBuf,
    handle: AppHandle,
    store: Store,
    temp_files: Arc<TempFiles>,
    background: BackgroundTasks,
    mail: Option<MailServer>,
}

/// Steers a running [`App`] from outside. Cloning is cheap.
#[derive(Clone)]
pub struct AppHandle {
    server: ServerHandle,
    state: Data<AppState>,
    tokens: Tokens,
    clock: Clock,
    arrivals: AcceptQueues,
    /// Whether strangers may be let in where this server listens.
    open_allowed: bool,
    temp_files: Arc<TempFiles>,
    stopping: ShutdownSignal,
    /// As long as requests in flight have when the server stops.
    drain: Duration,
}

/// The folder of the store within the data folder, so that there is room for others beside it.
pub const STORE_FOLDER: &str = "store";

impl App {
    /// Opens the store, binds the port and puts everything together.
    ///
    /// # Errors
    /// Whatever keeps the program from starting, as a sentence.
    pub fn build(settings: &Settings, edges: Edges) -> Result<Self, StartError> {
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
            log::warn!(folder:display = removed.display(); "What a command left when it was killed was removed");
        }

        let tokens = Tokens::new(&store.token_secret()?);
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
        let local = AdminAccess {
            addresses,
            token_sha256: passwords::digest(token.as_bytes()),
        };

        let request_ids = RequestIds::new(&edges.ids);
        let state = AppState::new(
            services,
            store.clone(),
            live,
            local,
            edges.clock.clone(),
            request_ids,
        );
        let state = Data::new(state);
        let workers = workers::count(settings).map_err(StartError::Server)?;
        let connection_limits = ConnectionLimits::from_settings(settings, workers);
        let arrivals = AcceptQueues::default();
        let connections = connections(settings, workers, connection_limits.http);
        let server = http::server(listeners, connections, state.clone(), &arrivals)
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
            arrivals,
            open_allowed: settings.open_to_network || endpoints.iter().all(Endpoint::is_local),
            temp_files: Arc::clone(&temp_files),
            stopping: ShutdownSignal::default(),
            drain: Duration::from_secs(settings.shutdown.drain_seconds),
        };

        let background = BackgroundTasks {
            store: store.clone(),
            retention: Retention::new(store.clone(), edges.clock.clone(), keep(settings)),
            sweep_interval: Duration::from_secs(settings.retention.sweep_seconds),
            outbox_worker: outbox_worker(settings, &store, &edges, event_metrics),
            dispatch_signal,
            max_concurrent_webhooks: connection_limits.webhooks,
            shutdown: handle.stopping.clone(),
            drain_timeout: handle.drain,
        };

        let running = ServerInfo::new(&endpoints, token);
        let port_file = settings.port_file.clone();
        Ok(Self {
            server,
            endpoints,
            data,
            running,
            port_file,
            handle,
            store,
            temp_files,
            background,
            mail,
        })
    }

    /// Where it listens; ports are the real ones.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The first address at which it listens, if there is one beside Unix sockets.
    pub fn address(&self) -> Option<SocketAddr> {
        self.endpoints.iter().find_map(Endpoint::tcp)
    }

    /// Where it takes mail, if it does; the port is the real one.
    pub fn mail_address(&self) -> Option<SocketAddr> {
        self.mail.as_ref().map(MailServer::address)
    }

    /// The means to steer it.
    pub fn handle(&self) -> AppHandle {
        self.handle.clone()
    }

    /// Starts all threads that serve, and tells by files where it can be asked once they do.
    ///
    /// # Errors
    /// A thread cannot be started, or a file cannot be written.
    pub async fn start(mut self) -> Result<Serving, StartError> {
        // It starts them all, and waits for them, when it is first looked at.
        let first = poll_fn(|context| Poll::Ready(Pin::new(&mut self.server).poll(context))).await;
        if let Poll::Ready(ended) = first {
            let ended = ended
                .err()
                .unwrap_or_else(|| io::Error::other("it ended at once"));
            return Err(StartError::Server(ended));
        }

        let address = self.address();
        let Self {
            server,
            data,
            running,
            port_file,
            handle,
            store,
            temp_files,
            background,
            mail,
            ..
        } = self;
        let (stopping, drain) = (handle.stopping.clone(), handle.drain);

        // It holds the store.
        drop(handle);
        if let Some(running) = running {
            temp_files.add(
                running
                    .write(&data)
                    .map_err(|source| StartError::File { path: data, source })?,
            );
        }

        if let Some(address) = address.filter(|_| !port_file.as_os_str().is_empty()) {
            port_file::write(&port_file, address.port())?;
            temp_files.add(port_file);
        }

        Ok(Serving {
            server,
            stopping,
            drain,
            store,
            temp_files,
            background,
            mail,
        })
    }

    /// Starts, and serves until told to stop.
    ///
    /// # Errors
    /// It cannot start, or broke down.
    pub async fn run(self) -> io::Result<()> {
        self.start().await.map_err(io::Error::other)?.run().await
    }
}

/// A server that answers.
pub struct Serving {
    server: Server,
    stopping: ShutdownSignal,
    drain: Duration,
    store: Store,
    temp_files: Arc<TempFiles>,
    background: BackgroundTasks,
    mail: Option<MailServer>,
}

impl Serving {
    /// Serves until told to stop, then finishes every write that was taken, and the webhooks under
    /// way that are answered in time.
    ///
    /// # Errors
    /// The server broke down.
    pub async fn run(self) -> io::Result<()> {
        let Self {
            server,
            stopping,
            drain,
            store,
            temp_files,
            background,
            mail,
        } = self;
        let background = background.start();
        let mail = mail.map(|mail| actix_rt::spawn(mail.run(stopping.subscribe(), drain)));
        let outcome = server.await;

        // It may have come to its end by itself.
        stopping.trigger();
        if let Some(mail) = mail {
            // It holds the store until it is gone.
            let _broken_down_at_worst = mail.await;
        }

        temp_files.remove_files();
        background.stop().await;
        cleanup::close(store).await;
        temp_files.remove();

        outcome
    }
}

/// So long before the end of a drain, bodies that have not come are waited for no longer.
const LAST_CALL: Duration = Duration::from_secs(1);

/// So long, at most, requests that had arrived before the server was told to stop are waited for to
/// begin.
const LAST_ARRIVALS: Duration = Duration::from_secs(2);

impl AppHandle {
    /// How long requests in flight have when the server stops.
    pub fn drain_time(&self) -> Duration {
        self.drain
    }

    /// Begins what has arrived, takes no more connections, lets requests in flight finish, then
    /// stops. What clients are too slow to send is refused shortly before the end.
    pub async fn drain(self) {
        let Self {
            server,
            state,
            arrivals,
            stopping,
            drain: time,
            ..
        } = self;
        let drain = state.drain.clone();

        // It holds the store, which the app waits to be let go of.
        drop(state);
        arrivals.drain(LAST_ARRIVALS.min(time / 4)).await;
        log::info!("Stopping: requests in flight are finished first");
        drain.begin();
        stopping.trigger();

        let last_call = time.saturating_sub(LAST_CALL.min(time / 4));
        let ended = server.stop(true);
        tokio::pin!(ended);

        tokio::select! {
            () = &mut ended => {}
            () = actix_rt::time::sleep(last_call) => {
                drain.call_last();
                ended.await;
            }
        }
    }

    /// Removes what must not be left behind, for a process that ends without waiting for
    /// [`App::run`].
    pub fn cleaner(&self) -> impl FnOnce() + use<> {
        let temp_files = Arc::clone(&self.temp_files);
        move || temp_files.remove()
    }

    /// Puts new settings to work, as far as a running server can.
    ///
    /// # Errors
    /// A setting is wrong; then everything stays as it was.
    pub fn reload(&self, settings: &Settings) -> Result<(), ConfigError> {
        // What counts is where this server listens, not where the file says that the next one will.
        if !self.open_allowed && settings.auth.mode == Mode::Open {
            let fault = "auth.mode = \"open\" cannot be put to work now: this server listens where others can reach it, and \
                         was not started with --open-to-network";
            return Err(ConfigError::new(fault));
        }

        let before = self.state.live.load();
        self.state.live.store(Arc::new(live::of(
            settings,
            &self.tokens,
            &self.clock,
            Some(&before),
        )?));

        Ok(())
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

fn keep(settings: &Settings) -> RetentionPolicy {
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

/// What the settings `before` have counted still counts.
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
