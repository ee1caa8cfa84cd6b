//! An `App` that serves from a thread of this process, and can be started again on the same folder.

use super::http::Client;
use pagertree_local::{
    app::{App, AppHandle, Edges, StartError},
    clock::Clock,
    config::{Limits, Log, Settings, Shutdown, StoreSettings},
    ids::Ids,
    store::OpenError,
};
use std::{net::SocketAddr, sync::mpsc, thread};
use tokio::sync::oneshot;

/// The folder, and everything else that outlives a restart.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    pub(crate) clock: Clock,
    ids: Ids,
    index_bytes: u64,
}

impl Machine {
    pub(crate) fn new(millis: i64, index_bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, clock: Clock::manual(millis), ids: Ids::seeded(1), index_bytes }
    }

    pub(crate) fn start(&self) -> Running {
        let settings = Settings {
            listen: "127.0.0.1:0".into(),
            data: self.folder.path().to_owned(),
            workers: 1,
            limits: Limits { connections: 100, ..Limits::default() },
            store: StoreSettings { cache_bytes: 1 << 20, index_bytes: self.index_bytes, ..StoreSettings::default() },
            log: Log { requests: false, ..Log::default() },
            shutdown: Shutdown { drain_seconds: 0 },
            ..Settings::default()
        };
        let edges = Edges { clock: self.clock.clone(), ids: self.ids.clone() };
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let app = build(&settings, &edges);
                tell.send(app.address()).unwrap();
                let handle: AppHandle = app.handle();
                let server = actix_rt::spawn(app.run());
                stopped.await.unwrap();
                handle.drain().await;
                server.await.unwrap().unwrap();
            });
        });
        Running { address: told.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }
}

/// The threads of the server before may still be on their way out, with the store in their hands.
fn build(settings: &Settings, edges: &Edges) -> App {
    loop {
        match App::build(settings, edges.clone()) {
            Ok(app) => return app,
            Err(StartError::Open(OpenError::Held(_))) => thread::yield_now(),
            Err(fault) => panic!("{fault}"),
        }
    }
}

/// A server. It is stopped when dropped.
pub(crate) struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    pub(crate) fn client(&self, account: usize) -> Client {
        Client::new(self.address).with_header("authorization", &format!("account {account}"))
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
