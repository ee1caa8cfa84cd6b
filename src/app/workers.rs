//! How many worker threads serve requests, within the limits of the system.

use super::rlimit;
use crate::config::Settings;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

/// Threads for everything else: accepting, writing, logging and sending.
const RESERVED_THREADS: usize = 16;

/// The number of workers in `settings`, lowered where a limit of the system requires it.
///
/// # Errors
/// The system does not allow a single worker.
pub(super) fn count(settings: &Settings) -> io::Result<usize> {
    let wanted = match settings.workers {
        0 => thread::available_parallelism().map_or(1, Into::into),
        workers => workers,
    };

    let max_files = rlimit::raise_limit();
    let by_files = rlimit::max_workers(wanted, max_files);
    if by_files < wanted {
        log::warn!(
            "Starting {by_files} worker threads instead of {wanted}, because the process may open \
             only {max_files} files. Raise that limit (ulimit -n, or LimitNOFILE= of systemd), or \
             lower 'workers'"
        );
    }

    let by_threads = startable(by_files)?;
    if by_threads < by_files {
        log::warn!(
            "Starting {by_threads} worker threads instead of {by_files}, because the system allows \
             no more threads. Raise that limit (ulimit -u, TasksMax= of systemd, or the pids limit \
             of the container), or lower 'workers'"
        );
    }

    Ok(by_threads)
}

/// Finds out how many workers can be started by starting that many threads, and the reserved ones.
/// Reading the limits would say less: other processes share them, and containers nest.
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

    let (threads, error) = start_all(wanted.saturating_add(RESERVED_THREADS), start);
    drop(closed);
    let started = threads.len();

    for thread in threads {
        let _ignored = thread.join();
    }

    workers_within(wanted, started, error)
}

/// The number of workers, given that `started` threads could be started before `error`.
fn workers_within(wanted: usize, started: usize, error: Option<io::Error>) -> io::Result<usize> {
    match error {
        None => Ok(wanted),
        Some(error) if started == 0 => Err(io::Error::new(
            error.kind(),
            format!(
                "the system allows no more threads ({error}); raise that limit (ulimit -u, \
                 TasksMax= of systemd, or the pids limit of the container)"
            ),
        )),
        Some(_) => Ok(started
            .saturating_sub(RESERVED_THREADS)
            .clamp(1, wanted.max(1))),
    }
}

/// Starts `count` threads, or as many as it can before the first error.
fn start_all(
    count: usize,
    start: impl Fn() -> io::Result<JoinHandle<()>>,
) -> (Vec<JoinHandle<()>>, Option<io::Error>) {
    let mut threads = Vec::new();
    for _ in 0..count {
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
    fn all_workers_start_where_the_system_allows_it() {
        assert_eq!(startable(2).unwrap(), 2);
    }

    #[test]
    fn workers_leave_threads_for_everything_else() {
        for (wanted, started, expected) in [(8, 20, 4), (8, 16, 1), (8, 1, 1), (1, 16, 1)] {
            let refused = Some(io::ErrorKind::WouldBlock.into());
            assert_eq!(
                workers_within(wanted, started, refused).unwrap(),
                expected,
                "{wanted} wanted, {started} started"
            );
        }

        let none = workers_within(8, 0, Some(io::ErrorKind::WouldBlock.into()))
            .unwrap_err()
            .to_string();

        assert!(none.contains("ulimit -u"), "{none}");
    }
}
