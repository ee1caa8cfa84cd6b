//! Counts the signals that ask the program to stop.
//!
//! Ctrl-C reaches every process of a terminal, and npm, pnpm and nodemon forward it to their
//! children as well; `timeout` signals its child and then its group. The same signal twice within a
//! second therefore counts once. Any other signal after the first means: stop immediately.

use std::time::{Duration, Instant};

const DUPLICATE_INTERVAL: Duration = Duration::from_secs(1);

/// What the program should do after a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopRequest {
    /// Shut down gracefully.
    Stop,
    /// Nothing: a duplicate of the first signal.
    Repeated,
    /// Stop immediately.
    StopNow,
}

/// The first signal, and when it arrived.
#[derive(Debug, Default)]
pub(super) struct StopSignals(Option<(i32, Instant)>);

impl StopSignals {
    /// Records a signal that arrives at `now`.
    pub(super) fn receive(&mut self, signal: i32, now: Instant) -> StopRequest {
        match self.0 {
            None => {
                self.0 = Some((signal, now));
                StopRequest::Stop
            }
            Some((first, at))
                if first == signal && now.saturating_duration_since(at) < DUPLICATE_INTERVAL =>
            {
                StopRequest::Repeated
            }
            Some(_) => StopRequest::StopNow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn the_same_signal_within_a_second_is_one() {
        let begin = Clock::System.stopwatch();
        let after = |millis| begin + Duration::from_millis(millis);
        let mut signals = StopSignals::default();
        assert_eq!(signals.receive(15, begin), StopRequest::Stop);
        assert_eq!(
            [0, 1, 999].map(|millis| signals.receive(15, after(millis))),
            [StopRequest::Repeated; 3]
        );
        assert_eq!(signals.receive(15, after(1_000)), StopRequest::StopNow);
    }

    #[test]
    fn another_signal_counts_at_once() {
        let begin = Clock::System.stopwatch();
        let mut signals = StopSignals::default();
        assert_eq!(signals.receive(2, begin), StopRequest::Stop);
        assert_eq!(signals.receive(15, begin), StopRequest::StopNow);
    }
}
