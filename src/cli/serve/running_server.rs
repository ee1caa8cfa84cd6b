//! A server in this process, from its start to the end of its shutdown.

use super::{
    exit::{exit_now, force_exit_after},
    readiness::{ServerAddress, notify},
};
use crate::{
    app::{App, AppHandle, Edges},
    cli::CliError,
    config::{Settings, Sources},
    logging::Flush,
};
use actix_rt::task::JoinHandle;
use std::{io, process::ExitCode, time::Duration};

/// A running server.
pub(in crate::cli) struct RunningServer {
    sources: Sources,
    settings: Settings,
    logs: Flush,
    handle: AppHandle,
    address: ServerAddress,
    server: JoinHandle<io::Result<()>>,
}

/// Time for the store to close after the last request.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

impl RunningServer {
    /// Starts the server. It is ready when this returns.
    ///
    /// # Errors
    /// Anything that prevents the start.
    pub(in crate::cli) async fn start(
        sources: Sources,
        settings: Settings,
        logs: Flush,
    ) -> Result<Self, CliError> {
        let app = App::build(&settings, Edges::default())?;
        let address = ServerAddress::of(&app, &settings);
        let endpoints: Vec<String> = app.endpoints().iter().map(ToString::to_string).collect();
        let handle = app.handle();
        let serving = app.start().await?;

        match settings.ephemeral {
            true => log::info!(address = endpoints.join(","), ephemeral = true; "Serving requests"),
            false => {
                log::info!(address = endpoints.join(","), data:display = settings.data.display(); "Serving requests")
            }
        }

        warn_if_no_credentials(&settings);
        Ok(Self {
            sources,
            settings,
            logs,
            handle,
            address,
            server: actix_rt::spawn(serving.run()),
        })
    }

    /// How to reach the server.
    pub(in crate::cli) fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Waits for the server to end by itself, which it does only if it failed.
    ///
    /// # Errors
    /// The server failed.
    pub(in crate::cli) async fn ended(&mut self) -> Result<(), CliError> {
        let outcome = (&mut self.server).await;
        outcome.map_err(io::Error::other)??;
        Ok(())
    }

    /// Applies the settings that a running server can change. If the configuration is invalid, the
    /// previous one stays in effect.
    pub(super) fn reload(&mut self) {
        let loaded = self
            .sources
            .load()
            .and_then(|new| self.handle.reload(&new).map(|()| new));

        match loaded {
            Err(fault) => {
                log::error!(fault:display; "Cannot reload the configuration; the previous one stays in effect")
            }
            Ok(new) => {
                let waiting = new.needs_restart(&self.settings);
                if waiting.is_empty() {
                    log::info!("Reloaded the configuration");
                } else {
                    log::warn!(
                        settings:display = waiting.join(",");
                        "Reloaded the configuration; some settings take effect after a restart"
                    );
                }
                warn_if_no_credentials(&new);
                self.settings = new;
            }
        }
    }

    /// Finishes the requests in flight and closes the store. Ends the process if that takes too
    /// long, or when `stop_now` completes.
    ///
    /// # Errors
    /// The server failed.
    pub(in crate::cli) async fn shut_down(
        self,
        reason: &str,
        stop_now: impl Future<Output = ()>,
    ) -> Result<ExitCode, CliError> {
        let Self {
            logs,
            handle,
            mut server,
            ..
        } = self;
        notify("STOPPING=1");
        // A reload does not change the drain time of the server that is already running.
        let at_most = handle.drain_time().saturating_add(CLOSE_TIMEOUT);
        log::info!(reason, at_most_seconds = at_most.as_secs(); "Shutting down");
        force_exit_after(at_most, handle.cleaner(), logs.clone());

        let cleaner = handle.cleaner();
        // Takes the handle, which would otherwise keep the store open.
        let draining = actix_rt::spawn(handle.drain());

        tokio::select! {
            outcome = &mut server => {
                outcome.map_err(io::Error::other)??;
                draining.abort();
                log::info!("Stopped");
                Ok(ExitCode::SUCCESS)
            }
            () = stop_now => {
                log::warn!("Stopped immediately by a second signal");
                exit_now(cleaner, &logs);
            }
        }
    }
}

fn warn_if_no_credentials(settings: &Settings) {
    if settings.has_no_credentials() {
        log::warn!(
            "Every request will be refused: auth.mode is \"keys\", but the configuration declares no key and no user; run `pagertree-local keys new --account NAME` and paste its output into the configuration"
        );
    }
}
