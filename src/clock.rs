//! The one place that asks for the time.
//!
//! A clock is handed to whoever needs the time, so a test can set it.

use crate::domain::timestamp::Timestamp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock, which may jump.
    System,
    /// A clock that stands still until it is set; holds milliseconds since the epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows `millis` since the epoch until it is [`set`](Self::set).
    pub fn manual(millis: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(millis)))
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        let millis = match self {
            Self::System => chrono::Utc::now().timestamp_millis(),
            Self::Manual(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
    }

    /// Sets a manual clock, forward or backward; the system's clock is left alone.
    pub fn set(&self, to: i64) {
        if let Self::Manual(millis) = self {
            millis.store(to, Ordering::SeqCst);
        }
    }

    /// A reading for measuring how long something takes; unlike [`now`](Self::now) it never jumps.
    pub fn stopwatch(&self) -> Instant {
        Instant::now()
    }
}
