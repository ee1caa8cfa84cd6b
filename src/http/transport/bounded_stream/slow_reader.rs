//! Timeout for clients that read their response too slowly.
//!
//! A client may pause for a while, but must on average read a minimum number of bytes for each
//! second that the server waits for it. An unread response occupies memory that other clients then
//! cannot have.

use actix_rt::time::{Sleep, sleep};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// Slower than the slowest networks, and fast enough that a large page is read within the hour.
const MIN_BYTES_PER_SECOND: u64 = 8 << 10;

/// A client that has kept the server waiting in the current request.
#[derive(Debug)]
pub(super) struct SlowReader {
    /// The number of the request.
    pub(super) request: u64,
    /// How long the server has waited in total, without the current wait.
    waited: Duration,
    written: u64,
    current: Option<Wait>,
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
            written: 0,
            current: None,
        }
    }

    /// Nothing could be written. Is ready when that has lasted too long. `max_pause` is how long
    /// the client may read nothing.
    pub(super) fn poll_timeout(
        &mut self,
        now: Instant,
        max_pause: Duration,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let left = self.time_left(max_pause);
        let wait = self.current.get_or_insert_with(|| Wait {
            since: now,
            until: Box::pin(sleep(left)),
        });
        wait.until.as_mut().poll(context)
    }

    /// Records that the client has made room for this many bytes.
    pub(super) fn record_written(&mut self, bytes: usize, now: Instant) {
        self.written = self
            .written
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if let Some(wait) = self.current.take() {
            self.waited = self
                .waited
                .saturating_add(now.saturating_duration_since(wait.since));
        }
    }

    /// Whether the server is waiting for the client.
    pub(super) fn is_blocked(&self) -> bool {
        self.current.is_some()
    }

    fn time_left(&self, max_pause: Duration) -> Duration {
        let earned = Duration::from_secs(self.written / MIN_BYTES_PER_SECOND);
        max_pause
            .saturating_add(earned)
            .saturating_sub(self.waited)
            .min(max_pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_PAUSE: Duration = Duration::from_secs(75);

    /// The time left for a client that reads `bytes` after each pause of `seconds`, or the round in
    /// which it runs out.
    fn left_with(bytes: usize, seconds: u64) -> Result<Duration, u64> {
        actix_rt::System::new().block_on(async {
            let mut context = Context::from_waker(std::task::Waker::noop());
            let mut reader = SlowReader::new(1);
            let mut now = Instant::now();

            for round in 0..1_000 {
                if reader.time_left(MAX_PAUSE) < Duration::from_secs(seconds) {
                    return Err(round);
                }
                assert!(
                    reader
                        .poll_timeout(now, MAX_PAUSE, &mut context)
                        .is_pending()
                        && reader.is_blocked()
                );
                now += Duration::from_secs(seconds);
                reader.record_written(bytes, now);
                assert!(!reader.is_blocked());
            }

            Ok(reader.time_left(MAX_PAUSE))
        })
    }

    #[test]
    fn steady_client_is_not_timed_out() {
        assert_eq!(left_with(8 << 10, 1), Ok(MAX_PAUSE));
        assert_eq!(
            left_with(600 << 10, 75),
            Ok(MAX_PAUSE),
            "in large steps, as a window opens"
        );
    }

    #[test]
    fn client_that_reads_too_little_is_timed_out() {
        assert_eq!(left_with(32 << 10, 74), Err(1));
        assert_eq!(left_with(1, 1), Err(75));
        assert_eq!(left_with(4 << 10, 1), Err(149));
    }
}
