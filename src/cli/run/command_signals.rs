//! Signals that arrive while a command runs, and how they reach it.

use actix_rt::signal::unix::{Signal as SignalStream, SignalKind, signal};
use rustix::{
    process::{Pid, Signal, getpgrp, kill_process},
    termios::tcgetpgrp,
};
use std::io;
use tokio::process::Child;

/// The signals that are passed on.
pub(super) struct CommandSignals {
    hangup: SignalStream,
    interrupt: SignalStream,
    quit: SignalStream,
    terminate: SignalStream,
    user_defined1: SignalStream,
    user_defined2: SignalStream,
}

impl CommandSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            user_defined1: signal(SignalKind::user_defined1())?,
            user_defined2: signal(SignalKind::user_defined2())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::HUP,
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.user_defined1.recv() => Signal::USR1,
            _ = self.user_defined2.recv() => Signal::USR2,
        }
    }

    /// Waits for a signal that stops a program.
    pub(super) async fn stop(&mut self) {
        while matches!(self.next().await, Signal::USR1 | Signal::USR2) {}
    }

    /// Passes a signal on to the command, unless the terminal has sent it to both. Test runners
    /// take a second Ctrl-C as the order to skip their cleanup.
    pub(super) fn forward(&self, signal: Signal, child: &Child) {
        let is_of_terminal = matches!(signal, Signal::INT | Signal::QUIT) && is_in_foreground();
        if !is_of_terminal {
            send(signal, child);
        }
    }

    /// Asks the command to stop.
    pub(super) fn terminate(&self, child: &Child) {
        send(Signal::TERM, child);
    }
}

/// Whether this process and its command are the foreground job of a terminal.
fn is_in_foreground() -> bool {
    [
        tcgetpgrp(io::stdin()),
        tcgetpgrp(io::stdout()),
        tcgetpgrp(io::stderr()),
    ]
    .into_iter()
    .any(|group| group == Ok(getpgrp()))
}

fn send(signal: Signal, child: &Child) {
    // A child without an id has been waited for; its id may belong to another process now.
    let id = child
        .id()
        .and_then(|id| id.try_into().ok())
        .and_then(Pid::from_raw);
    if let Some(id) = id
        && let Err(error) = kill_process(id, signal)
    {
        log::warn!(error:display; "Cannot pass a signal on to the command");
    }
}
