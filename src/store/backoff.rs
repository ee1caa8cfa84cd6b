//! Delays between recovery attempts.

use super::ledger::RecoveryError;
use std::time::Duration;

const INITIAL_DELAY: Duration = Duration::from_millis(100);
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Delays between recovery attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            next: INITIAL_DELAY.saturating_mul(2),
        }
    }
}

impl Backoff {
    /// The delay before the first attempt.
    pub(super) fn initial(&self) -> Duration {
        INITIAL_DELAY
    }

    /// The delay after a failed attempt that took `took`.
    ///
    /// An attempt that left readers their replica is repeated soon. Others back off exponentially,
    /// and to at least ten times what the attempt took: opening a large store takes long, and
    /// readers should have it most of the time.
    pub(super) fn after(&mut self, error: &RecoveryError, took: Duration) -> Duration {
        if error.kept_readers {
            return PROBE_INTERVAL;
        }
        let delay = self.next.max(took.saturating_mul(10)).min(MAX_DELAY);
        self.next = delay.saturating_mul(2);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kept_readers: bool) -> RecoveryError {
        RecoveryError {
            kept_readers,
            cause: "planted".into(),
        }
    }

    #[test]
    fn attempts_that_leave_readers_their_store_are_repeated_soon() {
        let mut backoff = Backoff::default();
        let seconds = Duration::from_secs;
        assert_eq!(backoff.after(&error(true), seconds(0)), seconds(1));
        assert_eq!(backoff.after(&error(true), seconds(5)), seconds(1));
        backoff.after(&error(false), seconds(600));
        assert_eq!(backoff.after(&error(true), seconds(600)), seconds(1));
    }

    #[test]
    fn attempts_that_close_the_store_back_off() {
        let mut backoff = Backoff::default();
        let millis = Duration::from_millis;
        let mut after = |took| backoff.after(&error(false), millis(took));
        assert_eq!([0, 0, 0].map(&mut after), [200, 400, 800].map(millis));
        assert_eq!(
            [500, 0].map(&mut after),
            [5_000, 10_000].map(millis),
            "ten times what it took"
        );
        assert_eq!([7_000, 0].map(&mut after), [60_000, 60_000].map(millis));
    }
}
