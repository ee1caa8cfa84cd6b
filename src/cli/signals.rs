//! Ctrl-C, SIGTERM and SIGHUP, for commands that must not leave partial files behind.
//!
//! After the first signal, the command stops at its next step and cleans up. A second one ends the
//! program at once.

use super::stop_signals::{StopRequest, StopSignals};
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

/// The number of the signal received, or 0. Clones share the value.
#[derive(Clone, Debug, Default)]
pub(super) struct Interruption(Arc<AtomicUsize>);

impl Interruption {
    /// Starts to watch for signals.
    pub(super) fn listen(&self) -> io::Result<()> {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        let noted = Arc::clone(&self.0);
        let listen = move || {
            let mut counted = StopSignals::default();
            for signal in signals.forever() {
                match counted.receive(signal, Clock::System.stopwatch()) {
                    StopRequest::Stop => {
                        noted.store(
                            signal.unsigned_abs().try_into().unwrap_or(usize::MAX),
                            Ordering::Relaxed,
                        );
                    }
                    StopRequest::Repeated => {}
                    StopRequest::StopNow => {
                        std::process::exit(SIGNAL_EXIT_BASE.saturating_add(signal))
                    }
                }
            }
        };

        thread::Builder::new()
            .name("signals".into())
            .spawn(listen)
            .map(drop)
    }

    /// The flag that long-running work checks between steps.
    pub(super) fn flag(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }

    /// The exit code of a failed command: 128 + n if signal n interrupted it, as in shells.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self.0.load(Ordering::Relaxed) {
            0 => ExitCode::FAILURE,
            signal => u8::try_from(signal).map_or(ExitCode::FAILURE, |signal| {
                ExitCode::from(signal.saturating_add(128))
            }),
        }
    }
}

/// Offset of exit codes for programs ended by a signal.
const SIGNAL_EXIT_BASE: i32 = 128;
