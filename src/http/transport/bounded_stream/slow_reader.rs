//! How long a client may take for its answer.
//!
//! It may take nothing for a while, and must take a least number of bytes for each second for which
//! the server waits for it. What a client leaves in its place is memory of the server's, which
//! others then cannot have.

use actix_rt::time::{Sleep, sleep};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// Slower than the slowest lines, and fast enough that a large page is taken within the hour.
const MIN_BYTES_PER_SECOND: u64 = 8 << 10;

/// What is known of a client that has let the server wait within this request.
#[derive(Debug)]
pub(super) struct SlowReader {
    /// The number of the request.
    pub(super) request: u64,
    /// For how long the server has waited until it last could write.
    waited: Duration,
    taken: u64,
    waits: Option<Wait>,
}

#[derive(Debug)]
struct Wait {
    since: Instant,
    until: Pin<Box<Sleep>>,
}

impl SlowReader {
    pub(super) fn new(request: u64) -> Self {
        Self {
            request,
            waited: Duration::ZERO,
            taken: 0,
            waits: None,
        }
    }

    /// Nothing could be written. Is ready when it has been so for too long. `patience` is how long
    /// nothing need be taken.
    pub(super) fn wait(
        &mut self,
        now: Instant,
        patience: Duration,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let left = self.time_left(patience);
        let wait = self.waits.get_or_insert_with(|| Wait {
            since: now,
            until: Box::pin(sleep(left)),
        });
        wait.until.as_mut().poll(context)
    }

    /// So much could be written.
    pub(super) fn took(&mut self, bytes: usize, now: Instant) {
        self.taken = self
            .taken
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if let Some(wait) = self.waits.take() {
            self.waited = self
                .waited
                .saturating_add(now.saturating_duration_since(wait.since));
        }
    }

    /// Whether the server waits for it now.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waits.is_some()
    }

    fn time_left(&self, patience: Duration) -> Duration {
        let earned = Duration::from_secs(self.taken / MIN_BYTES_PER_SECOND);
        patience
            .saturating_add(earned)
            .saturating_sub(self.waited)
            .min(patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(75);

    /// The patience that is left with a client that takes `bytes` after each pause of `seconds`, or
    /// after how many it has none.
    fn left_with(bytes: usize, seconds: u64) -> Result<Duration, u64> {
        actix_rt::System::new().block_on(async {
            let mut context = Context::from_waker(std::task::Waker::noop());
            let mut reader = SlowReader::new(1);
            let mut now = Instant::now();

            for round in 0..1_000 {
                if reader.time_left(PATIENCE) < Duration::from_secs(seconds) {
                    return Err(round);
                }
                assert!(
                    reader.wait(now, PATIENCE, &mut context).is_pending() && reader.is_waited_for()
                );
                now += Duration::from_secs(seconds);
                reader.took(bytes, now);
                assert!(!reader.is_waited_for());
            }

            Ok(reader.time_left(PATIENCE))
        })
    }

    #[test]
    fn who_takes_enough_may_take_as_long_as_it_likes() {
        assert_eq!(left_with(8 << 10, 1), Ok(PATIENCE));
        assert_eq!(
            left_with(600 << 10, 75),
            Ok(PATIENCE),
            "in large steps, as a window opens"
        );
    }

    #[test]
    fn who_takes_a_little_again_and_again_is_given_up() {
        assert_eq!(left_with(32 << 10, 74), Err(1));
        assert_eq!(left_with(1, 1), Err(75));
        assert_eq!(left_with(4 << 10, 1), Err(149));
    }
}
