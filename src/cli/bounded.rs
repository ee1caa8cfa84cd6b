//! Work that nothing may wait for without limit, such as writing to a pipe that nobody reads.

use std::{sync::mpsc, thread, time::Duration};

/// Does this on a thread of its own. `None` if it takes longer; then it goes on by itself, until the program ends.
pub(super) fn at_most<T: Send + 'static>(time: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = mpsc::channel();
    let begun = thread::Builder::new().spawn(move || {
        // Nobody listens any more when it took too long.
        let _gone = tell.send(work());
    });
    begun.ok().and_then(|_ends_by_itself| told.recv_timeout(time).ok())
}
