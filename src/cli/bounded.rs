//! Work that nothing may wait for without limit, such as writing to a pipe that nobody reads.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// Does this on a thread of its own. `None` if it takes longer; then it goes on by itself, until
/// the program ends. Where the system allows no more threads it is done here.
pub(super) fn at_most<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = mpsc::channel();
    let work = Arc::new(Mutex::new(Some(work)));
    let there = Arc::clone(&work);
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let begun = thread::Builder::new().spawn(move || {
        if let Some(work) = take(&there) {
            // Nobody listens any more when it took too long.
            let _gone = tell.send(work());
        }
    });

    match begun {
        Ok(_ends_by_itself) => told.recv_timeout(time).ok(),
        Err(_no_thread) => take(&work).map(|work| work()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        let (_never, forever) = mpsc::channel::<()>();
        assert_eq!(at_most(Duration::from_secs(60), || 1), Some(1));
        assert!(at_most(Duration::from_millis(1), move || forever.recv()).is_none());
    }
}
