//! How many threads serve: as many as are wanted, as far as the system's limits allow.

use super::files;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

/// Threads that others need: those that accept, write, log and send.
const RESERVED_THREADS: usize = 16;

/// As many of the wanted workers as there can be. Says which limit is in the way if those are
/// fewer.
///
/// # Errors
/// There can be none.
pub fn affordable(wanted: usize) -> io::Result<usize> {
    let files = files::raised_limit();
    let by_files = files::workers(wanted, files);
    if by_files < wanted {
        log::warn!(
            "{by_files} worker threads are started in place of {wanted}, since the process may have {files} files \
             open; raise that limit (ulimit -n, or LimitNOFILE= of systemd), or lower 'workers'"
        );
    }

    let by_threads = startable(by_files)?;
    if by_threads < by_files {
        log::warn!(
            "{by_threads} worker threads are started in place of {by_files}, since the system allows no more threads; \
             raise that limit (ulimit -u, TasksMax= of systemd, or the pids limit of the container), or lower 'workers'"
        );
    }

    Ok(by_threads)
}

/// Tries whether so many threads can be started, and some for others. The limits themselves tell
/// less: they are shared with other processes, and of containers there may be several around each
/// other.
fn startable(wanted: usize) -> io::Result<usize> {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    let start = || {
        let gate = Arc::clone(&gate);
        thread::Builder::new()
            .name("limit-probe".into())
            .spawn(move || {
                drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
            })
    };

    let (threads, refused) = start_all(wanted.saturating_add(RESERVED_THREADS), start);
    drop(closed);
    let started = threads.len();

    for thread in threads {
        let _ended = thread.join();
    }

    within(wanted, started, refused)
}

/// As many of the wanted threads as leave some for others, if so many could be started before one
/// was refused.
fn within(wanted: usize, started: usize, refused: Option<io::Error>) -> io::Result<usize> {
    match refused {
        None => Ok(wanted),
        Some(error) if started == 0 => Err(io::Error::new(
            error.kind(),
            format!(
                "the system allows no more threads ({error}); raise that limit (ulimit -u, TasksMax= of systemd, or the \
                 pids limit of the container)"
            ),
        )),
        Some(_) => Ok(started
            .saturating_sub(RESERVED_THREADS)
            .clamp(1, wanted.max(1))),
    }
}

/// Starts threads until there are enough or one is refused.
fn start_all(
    most: usize,
    start: impl Fn() -> io::Result<JoinHandle<()>>,
) -> (Vec<JoinHandle<()>>, Option<io::Error>) {
    let mut threads = Vec::new();
    for _ in 0..most {
        match start() {
            Ok(thread) => threads.push(thread),
            Err(error) => return (threads, Some(error)),
        }
    }
    (threads, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_workers_are_started_where_the_system_allows_them() {
        assert_eq!(startable(2).unwrap(), 2);
    }

    #[test]
    fn workers_leave_threads_for_everything_else() {
        for (wanted, started, expected) in [(8, 20, 4), (8, 16, 1), (8, 1, 1), (1, 16, 1)] {
            let refused = Some(io::ErrorKind::WouldBlock.into());
            assert_eq!(
                within(wanted, started, refused).unwrap(),
                expected,
                "{wanted} wanted, {started} started"
            );
        }

        let none = within(8, 0, Some(io::ErrorKind::WouldBlock.into()))
            .unwrap_err()
            .to_string();

        assert!(none.contains("ulimit -u"), "{none}");
    }
}
