//! An `App` that serves from a thread of this process, and can be started again on the same folder.

use crate::support::Client;
use pagertree_local::{
    app::{App, AppHandle, Edges, StartError},
    clock::Clock,
    config::{LimitsSettings, LogSettings, Settings, ShutdownSettings, StoreSettings},
    ids::Ids,
    store::OpenError,
};
use std::{net::SocketAddr, sync::mpsc, thread};
use tokio::sync::oneshot;

/// How the store of a life works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Storage {
    /// Memory budget of the indexes.
    pub(crate) index_bytes: u64,
    /// Seed of random conflicts between commits, if there are any.
    pub(crate) contention: Option<u64>,
}

/// The folder, and everything else that outlives a restart.
struct Machine {
    folder: tempfile::TempDir,
    clock: Clock,
    ids: Ids,
    storage: Storage,
}

impl Machine {
    fn new(millis: i64, storage: Storage) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            clock: Clock::manual(millis),
            ids: Ids::seeded(1),
            storage,
        }
    }

    fn start(&self) -> Running {
        let settings = Settings {
            listen: "127.0.0.1:0".into(),
            data: self.folder.path().to_owned(),
            workers: 1,
            limits: LimitsSettings {
                connections: 100,
                ..LimitsSettings::default()
            },
            store: StoreSettings {
                cache_bytes: 1 << 20,
                index_bytes: self.storage.index_bytes,
                ..StoreSettings::default()
            },
            log: LogSettings {
                requests: false,
                ..LogSettings::default()
            },
            shutdown: ShutdownSettings { drain_seconds: 0 },
            ..Settings::default()
        };

        let edges = Edges {
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            contention: self.storage.contention,
        };

        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let app = build(&settings, &edges);
                tell.send(app.address().unwrap()).unwrap();
                let handle: AppHandle = app.handle();
                let server = actix_rt::spawn(app.run());
                stopped.await.unwrap();
                handle.drain().await;
                server.await.unwrap().unwrap();
            });
        });

        Running {
            address: told.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

/// The threads of the server before may still be on their way out, with the store in their hands.
fn build(settings: &Settings, edges: &Edges) -> App {
    loop {
        match App::build(settings, edges.clone()) {
            Ok(app) => return app,
            Err(StartError::Open(OpenError::Locked(_))) => thread::yield_now(),
            Err(fault) => panic!("{fault}"),
        }
    }
}

/// A server. It is stopped when dropped.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn client(&self, account: usize) -> Client {
        Client::new(self.address).with_header("authorization", &format!("account {account}"))
    }
}

/// A machine and the server that it has now, with a client for each account.
pub(crate) struct Host {
    pub(crate) clients: Vec<Client>,
    /// Before the machine, whose folder it works in.
    running: Option<Running>,
    machine: Machine,
    /// What its clock shows.
    pub(crate) now: i64,
}

impl Host {
    pub(crate) fn new(storage: Storage, accounts: usize) -> Self {
        let now = 1_524_787_370_419;
        let mut host = Self {
            clients: Vec::new(),
            running: None,
            machine: Machine::new(now, storage),
            now,
        };
        host.start(accounts);
        host
    }

    /// The server stops and starts.
    pub(crate) fn restart(&mut self) {
        let accounts = self.clients.len();
        // Open connections first: a server waits for whoever has one.
        self.clients.clear();
        self.running = None;
        self.start(accounts);
    }

    fn start(&mut self, accounts: usize) {
        let running = self.machine.start();
        self.clients = (0..accounts)
            .map(|account| running.client(account))
            .collect();
        self.running = Some(running);
    }

    /// The clock jumps by so many milliseconds.
    pub(crate) fn jump(&mut self, by: i64) {
        self.now += by;
        self.machine.clock.set(self.now);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The thread is gone already when the server broke down; joining tells.
        let _gone = self.stop.take().map(|stop| stop.send(()));
        let ended = self.thread.take().map(thread::JoinHandle::join);
        if !thread::panicking() {
            ended.unwrap().expect("the server broke down");
        }
    }
}
