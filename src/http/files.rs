//! How many files this process may have open, and so how many connections: each is a file, and so is what the store
//! writes. A store that cannot open a file stops, so connections must never take the last.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For everything that is no connection: the store, the configuration, the pipes of the threads.
const OTHERS: u64 = 64;
/// What each thread that serves has open for itself.
const PER_WORKER: u64 = 8;

/// As many of the wanted connections as there can be, after the process's limit was raised as far as it may be.
pub(super) fn connections(wanted: usize, workers: usize) -> usize {
    let limit = raised_limit();
    let possible = beside_others(limit, workers);
    if possible < wanted {
        log::warn!(
            "At most {possible} connections at once are taken in place of {wanted}, since the process may have {limit} \
             files open; raise that limit (ulimit -n, or LimitNOFILE= of systemd), or lower limits.connections"
        );
    }
    possible.min(wanted)
}

/// As many of the wanted workers as leave half of the files for everything else.
pub(super) fn workers(wanted: usize, limit: u64) -> usize {
    let possible = usize::try_from(limit / 2 / PER_WORKER).unwrap_or(usize::MAX);
    wanted.min(possible.max(1))
}

fn beside_others(limit: u64, workers: usize) -> usize {
    let workers = u64::try_from(workers).unwrap_or(u64::MAX);
    let others = OTHERS.saturating_add(workers.saturating_mul(PER_WORKER));
    // With next to nothing allowed, half is better than none.
    let possible = limit.saturating_sub(others).max(limit.div_ceil(2).min(others));
    usize::try_from(possible).unwrap_or(usize::MAX)
}

/// Programs are started with a low limit that they may raise themselves, for the sake of very old ones.
pub(super) fn raised_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let limit = if raised.is_ok() { maximum } else { current };
    limit.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_always_has_files_left() {
        for limit in [2, 20, 64, 100, 256, 1_024, 20_000] {
            let connections = u64::try_from(beside_others(limit, 4)).unwrap();
            assert!((1..limit).contains(&connections), "{connections} of {limit}");
        }
        assert_eq!(beside_others(1_024, 2), 944);
    }

    #[test]
    fn workers_leave_files_for_everything_else() {
        for (wanted, limit, expected) in
            [(4, 1_024, 4), (512, 1_024, 64), (512, 64, 4), (2, 10, 1), (512, 1 << 20, 512)]
        {
            assert_eq!(workers(wanted, limit), expected, "{wanted} with {limit} files");
        }
    }
}
