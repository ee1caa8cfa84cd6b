//! How many files this process may have open, and for what: each connection is one, and so is what
//! the store writes. A store that cannot open a file stops, so connections must never take the
//! last, whoever makes them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For everything that is no connection: the store, the configuration, the pipes of the threads.
const OTHERS: u64 = 64;
/// What each thread that serves has open for itself.
const PER_WORKER: u64 = 8;
/// What a webhook has open at most while it is sent: its connection, and one to ask where a name
/// leads.
const PER_WEBHOOK: u64 = 2;
/// Connections that are kept for the next webhook.
const IDLE_WEBHOOKS: u64 = 10;

/// Connections at once, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Those of HTTP clients.
    pub http: usize,
    /// Those of mail clients.
    pub mail: usize,
    /// Webhooks under way.
    pub webhooks: usize,
}

/// As many of the wanted workers as leave half of the files for everything else.
pub(super) fn workers(wanted: usize, limit: u64) -> usize {
    let possible = usize::try_from(limit / 2 / PER_WORKER).unwrap_or(usize::MAX);
    wanted.min(possible.max(1))
}

/// As many of the wanted connections as there can be, after the process's limit was raised as far
/// as it may be.
pub fn share(wanted: Shares, workers: usize) -> Shares {
    let limit = raised_limit();
    let possible = within(limit, wanted, workers);
    if possible != wanted {
        let Shares {
            http,
            mail,
            webhooks,
        } = possible;
        let (http_wanted, mail_wanted, webhooks_wanted) =
            (wanted.http, wanted.mail, wanted.webhooks);

        log::warn!(
            "At most {http} connections at once are taken in place of {http_wanted}, {mail} for mail in place of {mail_wanted}, \
             and {webhooks} webhooks are sent at once in place of {webhooks_wanted}, since the process may have {limit} files \
             open; raise that limit (ulimit -n, or LimitNOFILE= of systemd), or lower limits.connections and smtp.connections"
        );
    }

    possible
}

fn within(limit: u64, wanted: Shares, workers: usize) -> Shares {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let own = OTHERS.saturating_add(count(workers).saturating_mul(PER_WORKER));
    // With next to nothing allowed, half is better than none.
    let left = limit.saturating_sub(own).max(limit.div_ceil(2).min(own));

    let quarter = left / 4;
    let mail = count(wanted.mail).min(quarter);
    let for_webhooks = count(wanted.webhooks)
        .saturating_mul(PER_WEBHOOK)
        .saturating_add(IDLE_WEBHOOKS)
        .min(quarter);
    let webhooks = (for_webhooks.saturating_sub(IDLE_WEBHOOKS) / PER_WEBHOOK).max(1);
    let http = count(wanted.http)
        .min(left.saturating_sub(mail).saturating_sub(for_webhooks))
        .max(1);
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);

    // Without mail none is wanted.
    Shares {
        http: number(http),
        mail: number(mail).max(wanted.mail.min(1)),
        webhooks: number(webhooks).min(wanted.webhooks),
    }
}

/// Programs are started with a low limit that they may raise themselves, for the sake of very old
/// ones.
pub(super) fn raised_limit() -> u64 {
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

    /// Mail and webhooks were not counted: together with 64 connections for mail, those of HTTP
    /// took the last file, and the store stopped.
    #[test]
    fn the_store_always_has_files_left() {
        for limit in [200, 256, 512, 1_024, 20_000] {
            for mail in [0, 32, 64, 1_024] {
                let Shares {
                    http,
                    mail,
                    webhooks,
                } = within(
                    limit,
                    Shares {
                        http: 10_000,
                        mail,
                        webhooks: 32,
                    },
                    4,
                );
                let taken = u64::try_from(http + mail + webhooks * 2).unwrap() + IDLE_WEBHOOKS;
                assert!(
                    taken + OTHERS + 4 * PER_WORKER <= limit,
                    "{http}, {mail} and {webhooks} of {limit}"
                );
                assert!(
                    http >= 50 && webhooks >= 2,
                    "{http}, {mail} and {webhooks} of {limit}"
                );
            }
        }

        for limit in [2, 20, 64, 100] {
            let Shares { http, .. } = within(
                limit,
                Shares {
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

        let wanted = Shares {
            http: 500,
            mail: 32,
            webhooks: 32,
        };

        assert_eq!(within(1_024, wanted, 2), wanted);
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
                workers(wanted, limit),
                expected,
                "{wanted} with {limit} files"
            );
        }
    }
}
