//! Control of a running server: drain, reload, cleanup.

use super::{cleanup::TempFiles, live, shutdown::ShutdownSignal, tls};
use crate::{
    clock::Clock,
    config::{ConfigError, Mode, Settings},
    http::{AcceptQueues, AppState, TlsAcceptor},
    service::tokens::Tokens,
};
use actix_web::{dev::ServerHandle, web::Data};
use std::{sync::Arc, time::Duration};

/// Controls a running server. Cloning is cheap.
#[derive(Clone)]
pub struct AppHandle {
    pub(super) server: ServerHandle,
    pub(super) state: Data<AppState>,
    pub(super) tokens: Tokens,
    pub(super) clock: Clock,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) arrivals: AcceptQueues,
    /// Whether open mode is allowed on the endpoints of this server.
    pub(super) open_allowed: bool,
    pub(super) temp_files: Arc<TempFiles>,
    pub(super) stopping: ShutdownSignal,
    /// How long requests in flight may take after a stop.
    pub(super) drain: Duration,
}

/// Time before the end of a drain at which missing bodies are refused.
const LAST_CALL: Duration = Duration::from_secs(1);

/// How long to accept connections that were waiting when the stop began.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(2);

impl AppHandle {
    /// How long requests in flight may take after a stop.
    pub fn drain_time(&self) -> Duration {
        self.drain
    }

    /// Accepts the connections that are waiting, then no more, and stops once the requests in
    /// flight have finished. Bodies that are still missing shortly before the end are refused.
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

        // The state keeps the store open, and the app waits for the store to be released.
        drop(state);
        // Before requests are refused: clients that connected before the stop get their answers.
        arrivals.drain(ACCEPT_TIMEOUT.min(time / 4)).await;
        log::info!("Draining: finishing requests in flight");
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

    /// A function that removes temporary files, for a process that ends without waiting for
    /// [`Serving::run`](super::Serving::run).
    pub fn cleaner(&self) -> impl FnOnce() + use<> {
        let temp_files = Arc::clone(&self.temp_files);
        move || temp_files.remove()
    }

    /// Applies the settings that a running server can change.
    ///
    /// # Errors
    /// A setting is invalid. Nothing changes then.
    pub fn reload(&self, settings: &Settings) -> Result<(), ConfigError> {
        // The endpoints of this server matter, not those in the file, which need a restart.
        if !self.open_allowed && settings.auth.mode == Mode::Open {
            return Err(ConfigError::new(
                "auth.mode = \"open\" cannot take effect: other machines can reach this server, which \
                 was not started with --open-to-network",
            ));
        }

        let before = self.state.live.load();
        let live = live::of(settings, &self.tokens, &self.clock, Some(&before))?;

        // Everything that can fail comes first, so that an invalid setting changes nothing.
        self.reload_certificate(settings)?;
        self.state.live.store(Arc::new(live));

        Ok(())
    }

    /// Reads the certificate again, which may have been renewed.
    fn reload_certificate(&self, settings: &Settings) -> Result<(), ConfigError> {
        let files = &settings.tls;
        if let Some(acceptor) = &self.tls
            && !files.generate
            && files.is_enabled()
        {
            let config = tls::from_files(&files.certificate, &files.key);
            acceptor.replace(config.map_err(|error| ConfigError::new(error.to_string()))?);
        }
        Ok(())
    }
}
