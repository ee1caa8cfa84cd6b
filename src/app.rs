//! The whole program as one value: built from settings, bound to a port, told to stop.
//!
//! Everything is put together here by hand and passed down as plain values; there are no globals.

mod chores;
mod closing;
mod running;
mod sending;
mod trouble;

pub use running::Running;

use crate::{
    clock::Clock,
    config::{ConfigError, Mode, OutgoingSettings, RetentionSettings, Settings, SmtpSettings},
    courier::Courier,
    domain::body::Strictness,
    http::{self, Connections, Desks, Live, Local, State},
    ids::{Ids, RequestIds},
    service::{
        access::{Gate, GateLimits},
        alerts::Alerts,
        incoming::Incoming,
        integrations::Integrations,
        lists::PageMemory,
        logs::Logs,
        outgoing::{Bell, Outgoing, Persistence},
        passwords,
        retention::{Keep, Retention},
        tally::Tally,
        throttle::Throttle,
        tokens::Tokens,
    },
    smtp::{self, MailServer},
    store::{Durability, OpenError, Options, Store, StoreError, moving},
};
use actix_web::{
    dev::{Server, ServerHandle},
    web::Data,
};
use chores::Chores;
use closing::Leftovers;
use sending::Stopping;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

/// Where time and randomness come from.
#[derive(Clone, Debug)]
pub struct Edges {
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: Ids,
}

impl Default for Edges {
    /// The machine's own.
    fn default() -> Self {
        Self { clock: Clock::System, ids: Ids::Random }
    }
}

/// Why the program cannot start, in a sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; stop what uses it, or choose another with {remedy}")]
    Listen {
        /// The setting to change.
        remedy: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file or folder beside the store cannot be used.
    #[error("cannot write '{}': {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The threads that serve cannot be started.
    #[error("the server cannot be started: {0}")]
    Server(io::Error),
}

/// A server that is bound and about to serve.
pub struct App {
    server: Server,
    address: SocketAddr,
    handle: AppHandle,
    store: Store,
    leftovers: Arc<Leftovers>,
    chores: Chores,
    mail: Option<MailServer>,
}

/// Steers a running [`App`] from outside. Cloning is cheap.
#[derive(Clone)]
pub struct AppHandle {
    server: ServerHandle,
    state: Data<State>,
    tokens: Tokens,
    clock: Clock,
    /// Whether strangers may be let in where this server listens.
    open_allowed: bool,
    leftovers: Arc<Leftovers>,
    stopping: Stopping,
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
        let listener = listen(settings.address()?, "--listen")?;
        let mail = settings.mail_address()?.map(|address| listen(address, "smtp.listen")).transpose()?;
        let address = listener.local_addr().map_err(StartError::Server)?;
        let ephemeral = ephemeral_folder(settings)?;
        let data = ephemeral.as_ref().map_or(settings.data.as_path(), |folder| folder.path()).to_owned();
        let leftovers = Arc::new(Leftovers::of(ephemeral));
        let store = Store::open(&data.join(STORE_FOLDER), &store_options(settings, &edges.ids))?;
        for removed in moving::remove_leftovers(&data.join(STORE_FOLDER)) {
            log::warn!(folder:display = removed.display(); "What a command left when it was killed was removed");
        }
        let tokens = Tokens::new(&store.token_secret()?);
        let live = live(settings, &tokens, &edges.clock)?;
        let bell = Bell::default();
        let tally = Tally::default();
        let desks = desks(settings, &store, &edges, &bell, &tally);
        let running = Running::at(address, edges.ids.secret());
        let local = Local { address: address.ip(), token_sha256: passwords::digest(running.token.as_bytes()) };
        let request_ids = RequestIds::new(&edges.ids);
        let state = State::new(desks, store.clone(), live, local, edges.clock.clone(), request_ids);
        let state = Data::new(state);
        let server = serve(settings, listener, state.clone())?;
        let mail = mail.map(|listener| mail_server(settings, listener, &state, &tally)).transpose()?;
        leftovers.add(running.write(&data).map_err(|source| StartError::File { path: data, source })?);
        if let Some(path) = write_port_file(settings, address)? {
            leftovers.add(path);
        }
        let handle = AppHandle {
            server: server.handle(),
            state,
            tokens,
            clock: edges.clock.clone(),
            open_allowed: settings.open_to_network || address.ip().is_loopback(),
            leftovers: Arc::clone(&leftovers),
            stopping: Stopping::default(),
            drain: Duration::from_secs(settings.shutdown.drain_seconds),
        };
        let chores = Chores {
            store: store.clone(),
            retention: Retention::new(store.clone(), edges.clock.clone(), keep(settings)),
            sweep_pause: Duration::from_secs(settings.retention.sweep_seconds),
            outgoing: outgoing(settings, &store, &edges).counted_by(tally),
            bell,
            stopping: handle.stopping.clone(),
            drain: handle.drain,
        };
        Ok(Self { server, address, handle, store, leftovers, chores, mail })
    }

    /// Where it listens; the port is the real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it takes mail, if it does; the port is the real one.
    pub fn mail_address(&self) -> Option<SocketAddr> {
        self.mail.as_ref().map(MailServer::address)
    }

    /// The means to steer it.
    pub fn handle(&self) -> AppHandle {
        self.handle.clone()
    }

    /// Serves until told to stop, then finishes every write that was taken, and the webhooks under way that are answered in time.
    ///
    /// # Errors
    /// The server broke down.
    pub async fn run(self) -> io::Result<()> {
        let Self { server, handle, store, leftovers, chores, mail, .. } = self;
        drop(handle);
        let chores = chores.begin();
        let mail = mail.map(|mail| actix_rt::spawn(mail.run()));
        let outcome = server.await;
        if let Some(mail) = mail {
            mail.abort();
            // It holds the store until it is gone.
            let _aborted = mail.await;
        }
        chores.end().await;
        closing::close(store).await;
        leftovers.remove();
        outcome
    }
}

/// So long before the end of a drain, bodies that have not come are waited for no longer.
const LAST_CALL: Duration = Duration::from_secs(1);

impl AppHandle {
    /// Takes no more connections, lets requests in flight finish, then stops. What clients are too slow to send is refused shortly before the end.
    pub async fn drain(self) {
        let Self { server, state, stopping, drain: time, .. } = self;
        let drain = state.drain.clone();
        // It holds the store, which the app waits to be let go of.
        drop(state);
        drain.begin();
        stopping.begin();
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

    /// Removes what must not be left behind, for a process that ends without waiting for [`App::run`].
    pub fn cleaner(&self) -> impl FnOnce() + use<> {
        let leftovers = Arc::clone(&self.leftovers);
        move || leftovers.remove()
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
        self.state.live.store(Arc::new(live(settings, &self.tokens, &self.clock)?));
        Ok(())
    }
}

fn listen(address: SocketAddr, remedy: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Listen { remedy, address, source })
}

fn mail_server(
    settings: &Settings,
    listener: TcpListener,
    state: &Data<State>,
    tally: &Tally,
) -> Result<MailServer, StartError> {
    let SmtpSettings { message_bytes, connections, idle_seconds, .. } = settings.smtp;
    let limits = smtp::Limits { message_bytes, connections, idle: Duration::from_secs(idle_seconds) };
    let (incoming, state) = (state.incoming.clone(), state.clone());
    let throttling = Box::new(move || Arc::clone(&state.live.load().events));
    MailServer::new(listener, incoming, throttling, tally.clone(), limits).map_err(StartError::Server)
}

fn ephemeral_folder(settings: &Settings) -> Result<Option<tempfile::TempDir>, StartError> {
    if !settings.ephemeral {
        return Ok(None);
    }
    let made = tempfile::Builder::new().prefix("pagertree-local-").tempdir();
    made.map(Some).map_err(|source| StartError::File { path: std::env::temp_dir(), source })
}

fn store_options(settings: &Settings, ids: &Ids) -> Options {
    Options {
        cache_bytes: settings.store.cache_bytes,
        index_bytes: settings.store.index_bytes,
        queue: settings.store.queue,
        batch: settings.store.batch,
        durability: if settings.ephemeral { Durability::Ephemeral } else { Durability::Synced },
        token_secret: Some(ids.secret()),
    }
}

fn outgoing(settings: &Settings, store: &Store, edges: &Edges) -> Outgoing {
    let OutgoingSettings { attempts, first_retry_seconds, timeout_seconds, queue, .. } = settings.outgoing;
    let courier = Courier::new(settings.reach(), Duration::from_secs(timeout_seconds));
    let persistence = Persistence { attempts, first_pause: first_retry_seconds, queue };
    Outgoing::new(store.clone(), edges.clock.clone(), edges.ids.clone(), courier, persistence)
}

fn keep(settings: &Settings) -> Keep {
    let RetentionSettings { alerts, alert_days, logs, log_days, .. } = settings.retention;
    Keep { alerts, alert_days, logs, log_days }
}

fn live(settings: &Settings, tokens: &Tokens, clock: &Clock) -> Result<Live, ConfigError> {
    let limits = GateLimits {
        token_lifetime: settings.auth.token_seconds,
        requests_per_minute: settings.limits.requests_per_minute,
        logins_per_minute: settings.limits.logins_per_minute,
    };
    Ok(Live {
        gate: Gate::new(settings.directory()?, tokens.clone(), clock.clone(), limits),
        events: Arc::new(Throttle::per_minute(
            settings.limits.events_per_minute,
            "events",
            "events of this integration",
        )),
        strictness: if settings.strict { Strictness::Strict } else { Strictness::Lenient },
        body_bytes: settings.limits.body_bytes,
        body_seconds: settings.limits.body_seconds,
        url_bytes: settings.limits.url_bytes,
        allowed_hosts: settings.allowed_hosts()?,
        allowed_origins: settings.allowed_origins()?,
        log_requests: settings.log.requests,
    })
}

fn desks(settings: &Settings, store: &Store, edges: &Edges, bell: &Bell, tally: &Tally) -> Desks {
    let pages = PageMemory::new(settings.store.list_cache_bytes);
    let confirms = settings.outgoing.confirm_subscriptions;
    let (clock, ids) = (&edges.clock, &edges.ids);
    Desks {
        integrations: Integrations::new(store.clone(), clock.clone(), ids.clone(), settings.reach(), pages.clone()),
        alerts: Alerts::new(store.clone(), clock.clone(), ids.clone(), bell.clone(), pages.clone()),
        logs: Logs::new(store.clone(), pages),
        incoming: Incoming::new(store.clone(), clock.clone(), ids.clone(), bell.clone(), tally.clone(), confirms),
        tally: tally.clone(),
    }
}

fn serve(settings: &Settings, listener: TcpListener, state: Data<State>) -> Result<Server, StartError> {
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, Into::into),
        some => some,
    };
    let connections = Connections {
        workers,
        most: settings.limits.connections,
        idle: Duration::from_secs(settings.limits.idle_seconds),
        head: Duration::from_secs(settings.limits.head_seconds),
        drain: Duration::from_secs(settings.shutdown.drain_seconds),
    };
    http::server(listener, connections, state).map_err(StartError::Server)
}

/// Written beside and moved into place, so that nobody reads half a number.
fn write_port_file(settings: &Settings, address: SocketAddr) -> Result<Option<PathBuf>, StartError> {
    if settings.port_file.as_os_str().is_empty() {
        return Ok(None);
    }
    let path = settings.port_file.clone();
    let beside = path.with_extension("tmp");
    let written =
        std::fs::write(&beside, format!("{}\n", address.port())).and_then(|()| std::fs::rename(&beside, &path));
    written.map_err(|source| {
        let _unless_there_is_none = std::fs::remove_file(&beside);
        StartError::File { path: path.clone(), source }
    })?;
    Ok(Some(path))
}
