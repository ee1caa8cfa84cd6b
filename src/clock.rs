//! The only module that reads the time.
//! A clock is passed to everything that needs the time, so that tests can set it.

mod adjustable;

pub use adjustable::{AdjustableClock, ClockAdjustment};

use crate::domain::{ids::AccountId, timestamp::Timestamp};
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

/// A source of time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system clock, which may jump.
    System,
    /// A clock that changes only when set, in milliseconds since the epoch.
    Manual(Arc<AtomicI64>),
    /// A clock that can be moved while the program runs, for all accounts or for one.
    Adjustable(Arc<AdjustableClock>),
}

impl Clock {
    /// A manual clock at `millis` since the epoch.
    pub fn manual(millis: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(millis)))
    }

    /// The current time of the server. Objects have the time of their account: see
    /// [`now_in`](Self::now_in).
    pub fn now(&self) -> Timestamp {
        let millis = match self {
            Self::System => chrono::Utc::now().timestamp_millis(),
            Self::Manual(millis) => millis.load(Ordering::SeqCst),
            Self::Adjustable(clock) => return clock.now(),
        };
        Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
    }

    /// The current time of an account.
    pub fn now_in(&self, account: &AccountId) -> Timestamp {
        match self {
            Self::System | Self::Manual(_) => self.now(),
            Self::Adjustable(clock) => clock.now_in(account),
        }
    }

    /// Microseconds since `since`, as an account sees it, or the server without one. Jumps only
    /// where that clock was moved; never with the system clock.
    pub fn elapsed_micros(&self, account: Option<&AccountId>, since: Instant) -> i64 {
        let adjusted = match self {
            Self::System | Self::Manual(_) => None,
            Self::Adjustable(clock) => clock.elapsed_micros(account, since),
        };
        adjusted.unwrap_or_else(|| {
            let elapsed = self.stopwatch().saturating_duration_since(since);
            i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
        })
    }

    /// Whether the time of any account differs from that of the system.
    pub fn is_adjusted(&self) -> bool {
        match self {
            Self::System | Self::Manual(_) => false,
            Self::Adjustable(clock) => clock.is_adjusted(),
        }
    }

    /// Waits until the clock has been moved after the version `seen`, and returns its version; the
    /// first is 0. Who waits for a time must look at the clock again then.
    pub async fn adjusted_since(&self, seen: u64) -> u64 {
        match self {
            Self::System | Self::Manual(_) => pending().await,
            Self::Adjustable(clock) => clock.adjusted_since(seen).await,
        }
    }

    /// Sets a manual clock, forward or backward. Has no effect on the system clock.
    pub fn set(&self, to: i64) {
        if let Self::Manual(millis) = self {
            millis.store(to, Ordering::SeqCst);
        }
    }

    /// A monotonic reading for measuring durations. Unlike [`now`](Self::now) it never jumps.
    pub fn stopwatch(&self) -> Instant {
        Instant::now()
    }
}
