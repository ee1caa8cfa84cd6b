//! `serve`: run until a signal says otherwise.

use super::{
    Sentence, bounded,
    stop_signals::{Request, StopSignals},
};
use crate::{
    app::{App, AppHandle, Edges, remove_stale_port_file},
    clock::Clock,
    config::{Overrides, Settings, Sources},
    domain::endpoint::Endpoint,
    logging::{self, Flush},
};
use actix_rt::signal::unix::{Signal, SignalKind, signal};
use std::{
    io::{self, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

pub(super) fn run(overrides: Overrides) -> Result<ExitCode, Sentence> {
    if let Some(port_file) = &overrides.port_file {
        // Also before a start that fails for another reason.
        remove_stale_port_file(port_file)?;
    }
    let sources = Sources::of_process(overrides);
    let settings = sources.load()?;
    let logs = logging::init(settings.log.format)?;
    logging::log_panics();
    actix_rt::System::new().block_on(serve(sources, settings, &logs))
}

async fn serve(
    sources: Sources,
    mut settings: Settings,
    logs: &Flush,
) -> Result<ExitCode, Sentence> {
    let mut signals = Signals::listen()?;
    let app = App::build(&settings, Edges::default())?;
    let (endpoints, mail_address, handle) =
        (app.endpoints().to_vec(), app.mail_address(), app.handle());
    let serving = app.start().await?;

    if let Some(first) = endpoints.first() {
        announce(format!("listening on {}", first.shown("http")))?;
    }

    if let Some(address) = mail_address {
        announce(format!("taking mail on smtp://{address}"))?;
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

    warn_if_locked(&settings);
    let mut server = actix_rt::spawn(serving.run());
    loop {
        tokio::select! {
            outcome = &mut server => {
                outcome.map_err(io::Error::other)??;
                return Ok(ExitCode::SUCCESS);
            }
            asked = signals.next() => match asked {
                Asked::Reload => reload(&sources, &mut settings, &handle),
                Asked::Stop | Asked::StopNow => break,
            },
        }
    }

    // What counts is the drain that this server was started with, not what a reload says of the
    // next one.
    let at_most = handle.drain_time().saturating_add(CLOSE_WITHIN);
    log::info!(at_most_seconds = at_most.as_secs(); "A signal says to stop");
    give_up_after(at_most, handle.cleaner(), logs.clone());

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
            log::warn!("Stopped at once by a second signal");
            leave(cleaner, logs);
        }
    }
}

/// So long, after all requests have ended, may the store take to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// Ends the program if it is still there after this time: a disk that does not answer is not waited
/// for. What was acknowledged is on it.
fn give_up_after(time: Duration, cleaner: impl FnOnce() + Send + 'static, logs: Flush) {
    let begun = thread::Builder::new()
        .name("stop-watch".into())
        .spawn(move || {
            thread::sleep(time);
            log::error!(
                "The store does not close, since its disk does not answer; stopped without it"
            );
            leave(cleaner, &logs);
        });

    if let Err(error) = begun {
        log::warn!(error:display; "There is no thread that ends the program if the store does not close");
    }
}

/// Ends the program now. What it would leave behind is removed, unless the disk holds that up too.
fn leave(cleaner: impl FnOnce() + Send + 'static, logs: &Flush) -> ! {
    logs.now();
    let _too_long_at_worst = bounded::at_most(Duration::from_secs(1), cleaner);
    std::process::exit(1);
}

/// So long a reader of standard output may take.
const ANNOUNCEMENT_TIMEOUT: Duration = Duration::from_secs(1);

/// Standard output carries this one line, for whoever started us.
fn announce(line: String) -> io::Result<()> {
    let written = bounded::at_most(ANNOUNCEMENT_TIMEOUT, move || {
        let mut out = io::stdout();
        writeln!(out, "{line}").and_then(|()| out.flush())
    });

    match written {
        None => {
            log::warn!("Cannot write the listening address to standard output");
            Ok(())
        }
        // Nobody reads it; the server is no worse for that.
        Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Some(outcome) => outcome,
    }
}

fn warn_if_locked(settings: &Settings) {
    if settings.locks_everybody_out() {
        log::warn!(
            "Nobody can sign in: auth.mode is \"keys\", and no key and no user is declared; `pagertree-local keys new \
             --account NAME` prints one to paste into the configuration"
        );
    }
}

fn reload(sources: &Sources, settings: &mut Settings, handle: &AppHandle) {
    let loaded = sources
        .load()
        .and_then(|new| handle.reload(&new).map(|()| new));

    match loaded {
        Err(fault) => {
            log::error!(fault:display; "The new configuration is not used, the old one stays")
        }
        Ok(new) => {
            let waiting = new.needs_restart(settings);
            if waiting.is_empty() {
                log::info!("The configuration was read again");
            } else {
                log::warn!(
                    settings:display = waiting.join(",");
                    "The configuration was read again; some settings wait for the next start"
                );
            }
            warn_if_locked(&new);
            *settings = new;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
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

    async fn next(&mut self) -> Asked {
        loop {
            let kind = tokio::select! {
                _ = self.hangup.recv() => return Asked::Reload,
                _ = self.interrupt.recv() => SignalKind::interrupt(),
                _ = self.terminate.recv() => SignalKind::terminate(),
            };

            match self
                .counted
                .receive(kind.as_raw_value(), Clock::System.stopwatch())
            {
                Request::Stop => return Asked::Stop,
                Request::StopNow => return Asked::StopNow,
                Request::Repeated => {}
            }
        }
    }

    async fn stop_now(&mut self) {
        while self.next().await != Asked::StopNow {}
    }
}
