//! The only module that reads the time.
//! A clock is passed to everything that needs the time, so that tests can set it.

use crate::domain::timestamp::Timestamp;
use std::{
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
}

impl Clock {
    /// A manual clock at `millis` since the epoch.
    pub fn manual(millis: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(millis)))
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        let millis = match self {
            Self::System => chrono::Utc::now().timestamp_millis(),
            Self::Manual(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
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
