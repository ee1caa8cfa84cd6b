//! Ctrl-C and its kin, for commands that make something which must not be left behind half done.
//!
//! The first signal is noted, and the command stops at its next step and clears up. A second one ends it at once.

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};
use std::{
    io,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// The number of the signal that came; 0 while none did. Cloning is cheap and gives the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Interruption(Arc<AtomicUsize>);

impl Interruption {
    /// From now on signals are noted.
    pub(super) fn listen(&self) -> io::Result<()> {
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // They act in this order, so that the first signal does not end anything.
            flag::register_conditional_shutdown(signal, BY_SIGNAL.saturating_add(signal), Arc::clone(&again))?;
            flag::register(signal, Arc::clone(&again))?;
            flag::register_usize(signal, Arc::clone(&self.0), signal.unsigned_abs().try_into().unwrap_or(usize::MAX))?;
        }
        Ok(())
    }

    /// For whoever works, to look at between steps.
    pub(super) fn flag(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }

    /// How a command ends that failed: as shells say it where a signal was why.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self.0.load(Ordering::Relaxed) {
            0 => ExitCode::FAILURE,
            signal => {
                u8::try_from(signal).map_or(ExitCode::FAILURE, |signal| ExitCode::from(signal.saturating_add(128)))
            }
        }
    }
}

/// Exit codes of programs that a signal ended begin here.
const BY_SIGNAL: i32 = 128;
