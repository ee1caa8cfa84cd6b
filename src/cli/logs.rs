//! Starts logging as the settings ask for it.

use crate::{
    config::{LogFormat, LogSettings, rust_log_filter},
    logging::{self, Flush, Format},
    store::OPENING_THREAD,
};
use std::io;

/// Starts logging. Lines are flushed when the returned value is dropped.
///
/// # Errors
/// The writer thread cannot be started.
pub(super) fn start(settings: &LogSettings) -> io::Result<Flush> {
    let format = match settings.format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };

    let flush = logging::init(format, rust_log_filter().as_deref())?;
    // A panic of the opening thread means a damaged store, which the command reports itself.
    logging::log_panics(OPENING_THREAD);
    Ok(flush)
}
