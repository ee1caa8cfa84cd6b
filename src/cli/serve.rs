//! `serve`: run until a signal says otherwise.

use super::Sentence;
use crate::{
    app::{App, AppHandle, Edges},
    config::{Overrides, Settings, Sources},
    logging::{self, Flush},
};
use actix_rt::signal::unix::{Signal, SignalKind, signal};
use std::{
    io::{self, Write},
    process::ExitCode,
    sync::mpsc,
    thread,
    time::Duration,
};

pub(super) fn run(overrides: Overrides) -> Result<ExitCode, Sentence> {
    let sources = Sources::of_process(overrides);
    let settings = sources.load()?;
    let logs = logging::init(settings.log.format)?;
    logging::log_panics();
    actix_rt::System::new().block_on(serve(sources, settings, &logs))
}

async fn serve(sources: Sources, settings: Settings, logs: &Flush) -> Result<ExitCode, Sentence> {
    let mut signals = Signals::listen()?;
    let app = App::build(&settings, Edges::default())?;
    let (address, mail_address, handle) = (app.address(), app.mail_address(), app.handle());
    let mut server = actix_rt::spawn(app.run());
    // Lets the server start its threads before it is announced.
    tokio::task::yield_now().await;
    announce(&format!("listening on http://{address}"))?;
    if let Some(address) = mail_address {
        announce(&format!("taking mail on smtp://{address}"))?;
    }
    match settings.ephemeral {
        true => log::info!(address:display, ephemeral = true; "Serving requests"),
        false => log::info!(address:display, data:display = settings.data.display(); "Serving requests"),
    }
    let mut settings = settings;
    loop {
        tokio::select! {
            outcome = &mut server => {
                outcome.map_err(io::Error::other)??;
                return Ok(ExitCode::SUCCESS);
            }
            asked = signals.next() => match asked {
                Asked::Reload => reload(&sources, &mut settings, &handle),
                Asked::Stop => break,
            },
        }
    }
    log::info!("Stopping: requests in flight are finished first");
    let drain = Duration::from_secs(settings.shutdown.drain_seconds);
    give_up_after(drain.saturating_add(CLOSE_WITHIN), handle.cleaner(), logs.clone());
    let cleaner = handle.cleaner();
    let draining = actix_rt::spawn(async move { handle.drain().await });
    tokio::select! {
        outcome = &mut server => {
            outcome.map_err(io::Error::other)??;
            draining.abort();
            log::info!("Stopped");
            Ok(ExitCode::SUCCESS)
        }
        () = signals.stop() => {
            log::warn!("Stopped at once by a second signal");
            leave(cleaner, logs);
        }
    }
}

/// So long, after all requests have ended, may the store take to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// Ends the program if it is still there after this time: a disk that does not answer is not waited for. What was
/// acknowledged is on it.
fn give_up_after(time: Duration, cleaner: impl FnOnce() + Send + 'static, logs: Flush) {
    let begun = thread::Builder::new().name("stop-watch".into()).spawn(move || {
        thread::sleep(time);
        log::error!("The store does not close, since its disk does not answer; stopped without it");
        leave(cleaner, &logs);
    });
    if let Err(error) = begun {
        log::warn!(error:display; "There is no thread that ends the program if the store does not close");
    }
}

/// Ends the program now. What it would leave behind is removed, unless the disk holds that up too.
fn leave(cleaner: impl FnOnce() + Send + 'static, logs: &Flush) -> ! {
    logs.now();
    let (tell, told) = mpsc::channel();
    let _no_thread_at_worst = thread::Builder::new().spawn(move || {
        cleaner();
        // Nobody listens any more when it took too long.
        let _gone = tell.send(());
    });
    let _too_long_at_worst = told.recv_timeout(Duration::from_secs(1));
    std::process::exit(1);
}

/// Standard output carries this one line, for whoever started us.
fn announce(line: &str) -> io::Result<()> {
    let mut out = io::stdout();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        // Nobody reads it; the server is no worse for that.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn reload(sources: &Sources, settings: &mut Settings, handle: &AppHandle) {
    let loaded = sources.load().and_then(|new| handle.reload(&new).map(|()| new));
    match loaded {
        Err(fault) => log::error!(fault:display; "The new configuration is not used, the old one stays"),
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
            *settings = new;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Reload,
    Stop,
}

struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.hangup.recv() => Asked::Reload,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
        }
    }

    async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}
