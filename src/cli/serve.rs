//! `serve`: runs the server until a signal stops it.

use super::{
    CliError, logs,
    stop_signals::{StopRequest, StopSignals},
    timeout,
};
use crate::{
    app::{App, AppHandle, Edges, remove_stale_port_file},
    clock::Clock,
    config::{Overrides, Settings, Sources},
    domain::endpoint::Endpoint,
    logging::Flush,
};
use actix_rt::signal::unix::{Signal, SignalKind, signal};
use std::{
    io::{self, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

pub(super) fn run(overrides: Overrides) -> Result<ExitCode, CliError> {
    if let Some(port_file) = &overrides.port_file {
        // First of all, so that no start that fails leaves a stale port behind.
        remove_stale_port_file(port_file)?;
    }
    let sources = Sources::of_process(overrides);
    let settings = sources.load()?;
    let logs = logs::start(&settings.log)?;
    actix_rt::System::new().block_on(serve(sources, settings, &logs))
}

async fn serve(
    sources: Sources,
    mut settings: Settings,
    logs: &Flush,
) -> Result<ExitCode, CliError> {
    let mut signals = Signals::listen()?;
    let app = App::build(&settings, Edges::default())?;
    let (endpoints, mail_address, handle) =
        (app.endpoints().to_vec(), app.mail_address(), app.handle());
    let serving = app.start().await?;

    if let Some(first) = endpoints.first() {
        announce(format!("listening on {}", first.to_url("http")))?;
    }

    if let Some(address) = mail_address {
        announce(format!("accepting mail on smtp://{address}"))?;
    }

    let address = endpoints
        .iter()
        .map(Endpoint::to_string)
        .collect::<Vec<_>>()
        .join(",");

    match settings.ephemeral {
        true => log::info!(address, ephemeral = true; "Serving requests"),
        false => log::info!(address, data:display = settings.data.display(); "Serving requests"),
    }

    warn_if_no_credentials(&settings);
    let mut server = actix_rt::spawn(serving.run());
    loop {
        tokio::select! {
            outcome = &mut server => {
                outcome.map_err(io::Error::other)??;
                return Ok(ExitCode::SUCCESS);
            }
            action = signals.next() => match action {
                SignalAction::Reload => reload(&sources, &mut settings, &handle),
                SignalAction::Stop | SignalAction::StopNow => break,
            },
        }
    }

    // A reload does not change the drain time of the server that is already running.
    let at_most = handle.drain_time().saturating_add(CLOSE_TIMEOUT);
    log::info!(at_most_seconds = at_most.as_secs(); "Shutting down after a signal");
    force_exit_after(at_most, handle.cleaner(), logs.clone());

    let cleaner = handle.cleaner();
    let draining = actix_rt::spawn(async move { handle.drain().await });
    tokio::select! {
        outcome = &mut server => {
            outcome.map_err(io::Error::other)??;
            draining.abort();
            log::info!("Stopped");
            Ok(ExitCode::SUCCESS)
        }
        () = signals.stop_now() => {
            log::warn!("Stopped immediately by a second signal");
            exit_now(cleaner, logs);
        }
    }
}

/// Time for the store to close after the last request.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Ends the program after `time`, even if the disk does not respond. Acknowledged writes are
/// already on it.
fn force_exit_after(time: Duration, cleaner: impl FnOnce() + Send + 'static, logs: Flush) {
    let begun = thread::Builder::new()
        .name("stop-watch".into())
        .spawn(move || {
            thread::sleep(time);
            log::error!("Timed out waiting for the store to close: the disk does not respond");
            exit_now(cleaner, &logs);
        });

    if let Err(error) = begun {
        log::warn!(error:display; "Cannot start the shutdown timer; a disk that hangs would delay the exit");
    }
}

/// Ends the program now, after removing temporary files if the disk responds.
fn exit_now(cleaner: impl FnOnce() + Send + 'static, logs: &Flush) -> ! {
    logs.now();
    // A cleaner that hangs is left behind.
    let _ignored = timeout::with_timeout(Duration::from_secs(1), cleaner);
    std::process::exit(1);
}

const STDOUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Prints a line on standard output, for the process that started the server.
fn announce(line: String) -> io::Result<()> {
    let written = timeout::with_timeout(STDOUT_TIMEOUT, move || {
        let mut out = io::stdout();
        writeln!(out, "{line}").and_then(|()| out.flush())
    });

    match written {
        None => {
            log::warn!("Cannot write the listening address to standard output");
            Ok(())
        }
        // The reader has closed the pipe. The server runs all the same.
        Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Some(outcome) => outcome,
    }
}

fn warn_if_no_credentials(settings: &Settings) {
    if settings.has_no_credentials() {
        log::warn!(
            "Every request will be refused: auth.mode is \"keys\", but the configuration declares no key and no user; run `pagertree-local keys new --account NAME` and paste its output into the configuration"
        );
    }
}

fn reload(sources: &Sources, settings: &mut Settings, handle: &AppHandle) {
    let loaded = sources
        .load()
        .and_then(|new| handle.reload(&new).map(|()| new));

    match loaded {
        Err(fault) => {
            log::error!(fault:display; "Cannot reload the configuration; the previous one stays in effect")
        }
        Ok(new) => {
            let waiting = new.needs_restart(settings);
            if waiting.is_empty() {
                log::info!("Reloaded the configuration");
            } else {
                log::warn!(
                    settings:display = waiting.join(",");
                    "Reloaded the configuration; some settings take effect after a restart"
                );
            }
            warn_if_no_credentials(&new);
            *settings = new;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SignalAction {
    Reload,
    Stop,
    StopNow,
}

struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
    counted: StopSignals,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            counted: StopSignals::default(),
        })
    }

    async fn next(&mut self) -> SignalAction {
        loop {
            let kind = tokio::select! {
                _ = self.hangup.recv() => return SignalAction::Reload,
                _ = self.interrupt.recv() => SignalKind::interrupt(),
                _ = self.terminate.recv() => SignalKind::terminate(),
            };

            match self
                .counted
                .receive(kind.as_raw_value(), Clock::System.stopwatch())
            {
                StopRequest::Stop => return SignalAction::Stop,
                StopRequest::StopNow => return SignalAction::StopNow,
                StopRequest::Repeated => {}
            }
        }
    }

    async fn stop_now(&mut self) {
        while self.next().await != SignalAction::StopNow {}
    }
}
