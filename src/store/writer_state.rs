//! The state of the writer: counters, and whether it makes progress.

use super::{STALL_TIMEOUT, StallCause, StoreError};
use crate::clock::Clock;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

/// Counters of the writer since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStatistics {
    /// Commands answered.
    pub commands: u64,
    /// Durable commits. Commands that waited together share one.
    pub commits: u64,
    /// Commands waiting.
    pub waiting: u64,
    /// Commands refused because the queue was full.
    pub refused_full: u64,
    /// Commands refused because the store was closed or recovering.
    pub refused_closed: u64,
    /// Engine failures.
    pub faults: u64,
    /// Successful recoveries.
    pub recoveries: u64,
    /// Commands refused because the writer was stalled.
    pub refused_stalled: u64,
    /// Whether the writer accepts commands.
    pub is_writable: bool,
}

/// Counters, and the current activity.
#[derive(Debug, Default)]
pub(super) struct WriterState {
    commands: AtomicU64,
    commits: AtomicU64,
    refused_full: AtomicU64,
    refused_closed: AtomicU64,
    refused_stalled: AtomicU64,
    faults: AtomicU64,
    recoveries: AtomicU64,
    running: AtomicBool,
    /// What the writer is doing, if anything, and since when.
    busy: Mutex<Option<(StallCause, Instant)>>,
}

impl WriterState {
    /// Whether a write is likely to succeed soon.
    ///
    /// # Errors
    /// The store is closed or recovering, or the writer is stalled.
    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        if !self.running.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable);
        }

        let busy = *self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        match busy {
            Some((cause, since))
                if Clock::System.stopwatch().saturating_duration_since(since) >= STALL_TIMEOUT =>
            {
                Err(StoreError::Stalled(cause))
            }
            _ => Ok(()),
        }
    }

    /// Marks the writer as running until the guard is dropped, even by a panic.
    pub(super) fn start(&self) -> RunningGuard<'_> {
        self.set_running();
        RunningGuard(self)
    }

    /// The store accepts writes.
    pub(super) fn set_running(&self) {
        self.running.store(true, Ordering::SeqCst);
    }

    /// The store accepts no writes.
    pub(super) fn set_stopped(&self) {
        self.running.store(false, Ordering::SeqCst);
    }

    /// Marks the writer as busy with commands until the guard is dropped.
    pub(super) fn begin_batch(&self) -> BusyGuard<'_> {
        self.set_activity(StallCause::Work);
        BusyGuard(self)
    }

    /// Sets what the writer is doing now.
    pub(super) fn set_activity(&self, cause: StallCause) {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((cause, Clock::System.stopwatch()));
    }

    pub(super) fn record_answered(&self, commands: usize) {
        self.commands
            .fetch_add(commands.try_into().unwrap_or_default(), Ordering::Relaxed);
    }

    pub(super) fn record_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn record_fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn record_recovery(&self) {
        self.recoveries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn record_refusal(&self, why: &StoreError) {
        let count = match why {
            StoreError::QueueFull => &self.refused_full,
            StoreError::Stalled(_) => &self.refused_stalled,
            _ => &self.refused_closed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn statistics(&self, waiting: u64) -> WriterStatistics {
        let Self {
            commands,
            commits,
            refused_full,
            refused_closed,
            refused_stalled,
            faults,
            recoveries,
            ..
        } = self;
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);

        WriterStatistics {
            commands: count(commands),
            commits: count(commits),
            waiting,
            refused_full: count(refused_full),
            refused_closed: count(refused_closed),
            refused_stalled: count(refused_stalled),
            faults: count(faults),
            recoveries: count(recoveries),
            is_writable: self.check_writable().is_ok(),
        }
    }
}

/// See [`WriterState::start`].
pub(super) struct RunningGuard<'a>(&'a WriterState);

impl Drop for RunningGuard<'_> {
    fn drop(&mut self) {
        self.0.set_stopped();
    }
}

/// See [`WriterState::begin_batch`].
pub(super) struct BusyGuard<'a>(&'a WriterState);

impl Drop for BusyGuard<'_> {
    fn drop(&mut self) {
        *self.0.busy.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The disk used to be blamed even when one account's commands made all others wait.
    #[test]
    fn the_cause_of_a_stall_is_reported() {
        let state = WriterState::default();
        let _running = state.start();
        let _busy = state.begin_batch();

        assert!(state.check_writable().is_ok(), "it has just begun");
        for (cause, words) in [
            (StallCause::Work, "busy with other writes for 5 seconds"),
            (StallCause::Disk, "the disk has not"),
        ] {
            *state.busy.lock().unwrap() = Some((cause, Clock::System.stopwatch() - STALL_TIMEOUT));
            let stalled = state.check_writable().unwrap_err();
            assert!(
                matches!(stalled, StoreError::Stalled(found) if found == cause),
                "{stalled:?}"
            );
            assert!(stalled.to_string().contains(words), "{stalled}");
        }

        state.set_activity(StallCause::Work);
        assert!(state.check_writable().is_ok(), "the disk has answered");
    }
}
