//! Signals that ask the program to stop, each counted once.
//!
//! Ctrl-C goes to all processes of a terminal, and npm, pnpm, nodemon and others pass it on to the
//! ones they started; `timeout` signals its child and then its group. So the same signal twice
//! within a second is one. Anything else that comes after the first means: at once.

use std::time::{Duration, Instant};

const REPEATED_WITHIN: Duration = Duration::from_secs(1);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Stop in good order.
    Stop,
    /// The same as before; it came twice.
    Repeated,
    /// Stop at once.
    StopNow,
}

/// The first signal that came, and when.
#[derive(Debug, Default)]
pub(super) struct StopSignals(Option<(i32, Instant)>);

impl StopSignals {
    /// Takes note of a signal that comes now.
    pub(super) fn receive(&mut self, signal: i32, now: Instant) -> Request {
        match self.0 {
            None => {
                self.0 = Some((signal, now));
                Request::Stop
            }
            Some((first, at))
                if first == signal && now.saturating_duration_since(at) < REPEATED_WITHIN =>
            {
                Request::Repeated
            }
            Some(_) => Request::StopNow,
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
        assert_eq!(signals.receive(15, begin), Request::Stop);
        assert_eq!(
            [0, 1, 999].map(|millis| signals.receive(15, after(millis))),
            [Request::Repeated; 3]
        );
        assert_eq!(signals.receive(15, after(1_000)), Request::StopNow);
    }

    #[test]
    fn another_signal_counts_at_once() {
        let begin = Clock::System.stopwatch();
        let mut signals = StopSignals::default();
        assert_eq!(signals.receive(2, begin), Request::Stop);
        assert_eq!(signals.receive(15, begin), Request::StopNow);
    }
}
