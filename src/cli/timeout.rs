//! Runs blocking work with a time limit, such as a write to a pipe that may be full.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// Runs `work` on a new thread and waits for it up to `timeout`. Returns `None` on timeout; the
/// thread is then left behind. If no thread can be created, `work` runs on this one.
pub(super) fn with_timeout<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = mpsc::channel();
    let work = Arc::new(Mutex::new(Some(work)));
    let there = Arc::clone(&work);
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let begun = thread::Builder::new().spawn(move || {
        if let Some(work) = take(&there) {
            // The receiver is gone after a timeout.
            let _ignored = tell.send(work());
        }
    });

    match begun {
        Ok(_detached) => told.recv_timeout(time).ok(),
        Err(_no_thread) => take(&work).map(|work| work()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        let (_never, forever) = mpsc::channel::<()>();
        assert_eq!(with_timeout(Duration::from_secs(60), || 1), Some(1));
        assert!(with_timeout(Duration::from_millis(1), move || forever.recv()).is_none());
    }
}
