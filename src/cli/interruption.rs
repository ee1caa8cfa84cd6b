//! Ctrl-C and its kin, for commands that make something which must not be left behind half done.
//!
//! The first signal is noted, and the command stops at its next step and clears up. A second one
//! ends it at once.

use super::stop_signals::{Request, StopSignals};
use crate::clock::Clock;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use std::{
    io,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The number of the signal that came; 0 while none did. Cloning is cheap and gives the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Interruption(Arc<AtomicUsize>);

impl Interruption {
    /// From now on signals are noted.
    pub(super) fn listen(&self) -> io::Result<()> {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        let noted = Arc::clone(&self.0);
        let listen = move || {
            let mut counted = StopSignals::default();
            for signal in signals.forever() {
                match counted.receive(signal, Clock::System.stopwatch()) {
                    Request::Stop => {
                        noted.store(
                            signal.unsigned_abs().try_into().unwrap_or(usize::MAX),
                            Ordering::Relaxed,
                        );
                    }
                    Request::Repeated => {}
                    Request::StopNow => std::process::exit(BY_SIGNAL.saturating_add(signal)),
                }
            }
        };

        thread::Builder::new()
            .name("signals".into())
            .spawn(listen)
            .map(drop)
    }

    /// For whoever works, to look at between steps.
    pub(super) fn flag(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }

    /// How a command ends that failed: as shells say it where a signal was why.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self.0.load(Ordering::Relaxed) {
            0 => ExitCode::FAILURE,
            signal => u8::try_from(signal).map_or(ExitCode::FAILURE, |signal| {
                ExitCode::from(signal.saturating_add(128))
            }),
        }
    }
}

/// Exit codes of programs that a signal ended begin here.
const BY_SIGNAL: i32 = 128;
