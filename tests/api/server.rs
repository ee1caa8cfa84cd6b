//! A whole server of this program inside the test: its own thread, its own port, its own store.
//!
//! It stops, and its folder goes away, when the value is dropped. `TEST_LOG=1` shows its log lines.

use crate::callers::Caller;
use pagertree_local::{
    app::{App, Edges, STORE_FOLDER},
    clock::Clock,
    config::Settings,
    ids::Ids,
    logging::{self, Flush, Format},
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock, mpsc},
    thread::{self, JoinHandle},
};
use tempfile::TempDir;
use tokio::sync::oneshot;

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    mail_address: Option<SocketAddr>,
    settings: Settings,
    folder: Option<Arc<TempDir>>,
    running: Option<Running>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl TestServer {
    /// Open mode, nothing stored, everything as it is by default.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// With other settings.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        Self::run(settings, Clock::System, None)
    }

    /// With a clock that stands still at `millis` until the test sets it.
    pub(crate) fn at(millis: i64) -> Self {
        Self::at_with(millis, |_| {})
    }

    /// With a clock to set, and other settings.
    pub(crate) fn at_with(millis: i64, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        Self::run(settings, Clock::manual(millis), None)
    }

    /// With a folder that outlives the server, so that it can be started again on it.
    pub(crate) fn on_disk() -> Self {
        Self::on_disk_with(|_| {})
    }

    /// With a folder that outlives the server, and other settings.
    pub(crate) fn on_disk_with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            ephemeral: false,
            data: folder.path().to_owned(),
            ..settings()
        };
        change(&mut settings);
        Self::run(settings, Clock::System, Some(Arc::new(folder)))
    }

    /// Stops, and starts anew on the same folder.
    pub(crate) fn restart(self) -> Self {
        self.restart_after(|_| {})
    }

    /// Stops, lets `meanwhile` have the folder of the store, and starts anew on it.
    pub(crate) fn restart_after(mut self, meanwhile: impl FnOnce(PathBuf)) -> Self {
        self.stop();
        let (settings, clock) = (self.settings.clone(), self.clock.clone());
        meanwhile(settings.data.join(STORE_FOLDER));
        Self::run(settings, clock, self.folder.clone())
    }

    /// Asks the server to stop, and does not wait until it has.
    pub(crate) fn ask_to_stop(&mut self) -> JoinHandle<()> {
        let Running { stop, thread } = self.running.take().unwrap();
        drop(stop);
        thread
    }

    /// Somebody without any credential.
    pub(crate) fn anonymous(&self) -> Caller {
        Caller::new(self.address)
    }

    /// In open mode: whoever sends this token, and so an account of its own.
    pub(crate) fn account(&self, token: &str) -> Caller {
        self.anonymous().with("Authorization", token)
    }

    /// Where it takes mail, if its settings say so.
    pub(crate) fn mail_address(&self) -> SocketAddr {
        self.mail_address.unwrap()
    }

    fn run(settings: Settings, clock: Clock, folder: Option<Arc<TempDir>>) -> Self {
        static LOG: OnceLock<Option<Flush>> = OnceLock::new();
        LOG.get_or_init(|| {
            std::env::var_os("TEST_LOG").map(|_| logging::init(Format::Text, None).unwrap())
        });

        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let edges = Edges {
            clock: clock.clone(),
            ids: Ids::Random,
            contention: None,
        };

        let own = settings.clone();
        let thread = thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let app = App::build(&own, edges).unwrap();
                let handle = app.handle();
                tell.send((app.address().unwrap(), app.mail_address()))
                    .unwrap();
                actix_rt::spawn(async move {
                    // The other end is dropped to stop the server.
                    let _dropped = stopped.await;
                    handle.drain().await;
                });
                app.run().await.unwrap();
            });
        });

        let (address, mail_address) = told.recv().expect("the server starts");
        Self {
            address,
            clock,
            mail_address,
            settings,
            folder,
            running: Some(Running { stop, thread }),
        }
    }

    fn stop(&mut self) {
        if self.running.is_some() {
            self.ask_to_stop().join().unwrap();
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn settings() -> Settings {
    let mut settings = Settings {
        listen: "127.0.0.1:0".into(),
        ephemeral: true,
        workers: 1,
        ..Settings::default()
    };
    settings.store.cache_bytes = 4 << 20;
    settings
}
