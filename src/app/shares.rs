//! How many threads serve, and how many connections of each kind there may be.

use crate::{
    config::Settings,
    http::{self, Shares},
    service::outgoing::MAX_CONCURRENT,
};

/// Threads that are wanted to serve.
pub(super) fn workers(settings: &Settings) -> usize {
    match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, Into::into),
        some => some,
    }
}

/// Connections beside so many threads, as far as the process may have files open.
pub(super) fn of(settings: &Settings, workers: usize) -> Shares {
    let mail = if settings.smtp.listen.is_empty() {
        0
    } else {
        settings.smtp.connections
    };
    let wanted = Shares {
        http: settings.limits.connections,
        mail,
        webhooks: MAX_CONCURRENT,
    };
    http::share(wanted, workers)
}
