//! How many connections fit within the limit on open files (`RLIMIT_NOFILE`).
//!
//! Each connection is an open file, and so is each file of the store. A store that cannot open a
//! file stops, so connections of any kind always leave some files free.

use crate::{config::Settings, service::webhooks::MAX_CONCURRENT};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files for everything that is no connection: the store, the configuration, pipes of threads.
const RESERVED_FILES: u64 = 64;
const FILES_PER_WORKER: u64 = 8;
/// A webhook in flight has its connection, and one to the name server.
const FILES_PER_WEBHOOK: u64 = 2;
/// Connections kept alive for later webhooks.
const MAX_IDLE_WEBHOOK_CONNECTIONS: u64 = 10;

/// Maximum number of concurrent connections of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionLimits {
    /// Connections from HTTP clients.
    pub(super) http: usize,
    /// Connections from mail clients.
    pub(super) mail: usize,
    /// Webhook requests in flight.
    pub(super) webhooks: usize,
}

impl ConnectionLimits {
    /// The limits in `settings`, lowered where the limit on open files requires it. Raises that
    /// limit first, as far as the system allows.
    pub(super) fn from_settings(settings: &Settings, workers: usize) -> Self {
        let mail = if settings.smtp.listen.is_empty() {
            0
        } else {
            settings.smtp.connections
        };
        let wanted = Self {
            http: settings.limits.connections,
            mail,
            webhooks: MAX_CONCURRENT,
        };

        let max_files = raise_limit();
        let possible = fit(max_files, wanted, workers);
        if possible != wanted {
            log::warn!(
                "The process may open only {max_files} files. Connections are limited to {} \
                 instead of {} for HTTP, {} instead of {} for mail, and {} instead of {} for \
                 webhooks. Raise the limit (ulimit -n, or LimitNOFILE= of systemd), or lower \
                 limits.connections and smtp.connections",
                possible.http,
                wanted.http,
                possible.mail,
                wanted.mail,
                possible.webhooks,
                wanted.webhooks,
            );
        }

        possible
    }
}

/// Limits the number of workers so that half of the files are left for everything else.
pub(super) fn max_workers(wanted: usize, max_files: u64) -> usize {
    let possible = usize::try_from(max_files / 2 / FILES_PER_WORKER).unwrap_or(usize::MAX);
    wanted.min(possible.max(1))
}

fn fit(max_files: u64, wanted: ConnectionLimits, workers: usize) -> ConnectionLimits {
    let to_u64 = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let reserved = RESERVED_FILES.saturating_add(to_u64(workers).saturating_mul(FILES_PER_WORKER));
    // With a very low limit, half for connections is better than none.
    let available = max_files
        .saturating_sub(reserved)
        .max(max_files.div_ceil(2).min(reserved));

    let quarter = available / 4;
    let mail = to_u64(wanted.mail).min(quarter);
    let webhook_files = to_u64(wanted.webhooks)
        .saturating_mul(FILES_PER_WEBHOOK)
        .saturating_add(MAX_IDLE_WEBHOOK_CONNECTIONS)
        .min(quarter);
    let webhooks =
        (webhook_files.saturating_sub(MAX_IDLE_WEBHOOK_CONNECTIONS) / FILES_PER_WEBHOOK).max(1);
    let http = to_u64(wanted.http)
        .min(available.saturating_sub(mail).saturating_sub(webhook_files))
        .max(1);
    let to_usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);

    ConnectionLimits {
        http: to_usize(http),
        // At least one where mail is wanted at all.
        mail: to_usize(mail).max(wanted.mail.min(1)),
        webhooks: to_usize(webhooks).min(wanted.webhooks),
    }
}

/// Raises the soft limit to the hard limit and returns it. Systems start programs with a low soft
/// limit for the sake of old programs that use `select`.
pub(super) fn raise_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
    let limit = if raised.is_ok() { maximum } else { current };
    limit.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mail and webhooks used to be left out of the sum: with 64 mail connections, HTTP connections
    /// took the last file, and the store stopped.
    #[test]
    fn connections_leave_files_for_the_store() {
        for limit in [200, 256, 512, 1_024, 20_000] {
            for mail in [0, 32, 64, 1_024] {
                let ConnectionLimits {
                    http,
                    mail,
                    webhooks,
                } = fit(
                    limit,
                    ConnectionLimits {
                        http: 10_000,
                        mail,
                        webhooks: 32,
                    },
                    4,
                );
                let taken = u64::try_from(http + mail + webhooks * 2).unwrap()
                    + MAX_IDLE_WEBHOOK_CONNECTIONS;
                assert!(
                    taken + RESERVED_FILES + 4 * FILES_PER_WORKER <= limit,
                    "{http}, {mail} and {webhooks} of {limit}"
                );
                assert!(
                    http >= 50 && webhooks >= 2,
                    "{http}, {mail} and {webhooks} of {limit}"
                );
            }
        }

        for limit in [2, 20, 64, 100] {
            let ConnectionLimits { http, .. } = fit(
                limit,
                ConnectionLimits {
                    http: 10_000,
                    mail: 0,
                    webhooks: 32,
                },
                4,
            );
            assert!(
                (1..limit).contains(&u64::try_from(http).unwrap()),
                "{http} of {limit}"
            );
        }

        let wanted = ConnectionLimits {
            http: 500,
            mail: 32,
            webhooks: 32,
        };

        assert_eq!(fit(1_024, wanted, 2), wanted);
    }

    #[test]
    fn workers_leave_files_for_everything_else() {
        for (wanted, limit, expected) in [
            (4, 1_024, 4),
            (512, 1_024, 64),
            (512, 64, 4),
            (2, 10, 1),
            (512, 1 << 20, 512),
        ] {
            assert_eq!(
                max_workers(wanted, limit),
                expected,
                "{wanted} with {limit} files"
            );
        }
    }
}
