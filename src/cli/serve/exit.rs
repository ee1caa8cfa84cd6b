//! Ends the process even if the disk or the reader of the log does not respond.

use crate::{cli::timeout, logging::Flush};
use std::{thread, time::Duration};

/// Ends the program after `time`. Acknowledged writes are already on disk.
pub(super) fn force_exit_after(
    time: Duration,
    cleaner: impl FnOnce() + Send + 'static,
    logs: Flush,
) {
    let begun = thread::Builder::new()
        .name("stop-watch".into())
        .spawn(move || {
            thread::sleep(time);
            log::error!("Timed out waiting for the store to close: the disk does not respond");
            exit_now(cleaner, &logs);
        });

    if let Err(error) = begun {
        log::warn!(error:display; "Cannot start the shutdown timer; a disk that hangs would delay the exit");
    }
}

/// Ends the program now, after removing temporary files if the disk responds.
pub(super) fn exit_now(cleaner: impl FnOnce() + Send + 'static, logs: &Flush) -> ! {
    logs.now();
    // A cleaner that hangs is left behind.
    let _ignored = timeout::with_timeout(Duration::from_secs(1), cleaner);
    std::process::exit(1);
}
